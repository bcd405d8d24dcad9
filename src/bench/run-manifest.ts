import path from 'node:path';
import { z } from 'zod';
import { budgetName } from '../config/budget.js';
import {
  decodingSchema,
  deviceSchema,
  type LatencyProtocol,
  latencyProtocolSchema,
  scoringSchema,
} from '../config/protocols.js';
import type { RunConfig } from '../config/run-config.js';
import { canonicalJson } from '../core/content-hash.js';
import type { EngineKind } from '../engine/open-runtime.js';
import { firstTokenSchema, recordVersion, semanticsSchema } from './record.js';
import type { GenerationSettings } from './record-key.js';

const manifestFormat = 5;

const count = z.int().nonnegative();

const sessionKindSchema = z.enum(['portable', 'native']);

/**
 * What all records of a run directory share. Methods, semantics, budgets, protocols, tasks and the limit are not
 * part of it: a later command may ask for more or fewer of them and finds the records it shares with earlier ones.
 */
const identitySchema = z.strictObject({
  bundleSha256: z.string(),
  datasetSha256: z.string(),
  maxNewTokens: z.int(),
  decoding: decodingSchema,
  maxContext: z.int().nullable(),
  combineImages: z.literal(1).nullable(),
  /** `null` = an accuracy run. */
  latency: latencyProtocolSchema.nullable().default(null),
  attention: sessionKindSchema,
  device: deviceSchema,
  seed: z.int().nullable(),
  /** Compositions of all commands by name, as canonical JSON: a name means one thing in a run. */
  compositions: z.record(z.string(), z.string()),
  recordVersion: z.int(),
});
export type RunIdentity = z.infer<typeof identitySchema>;

const machineSchema = z.strictObject({
  cpu: z.string(),
  cores: z.int().positive(),
  memoryBytes: z.int().positive(),
  platform: z.string(),
});

const versionsSchema = z.strictObject({ lookm: z.string(), onnxruntime: z.string(), node: z.string() });

const configSchema = z.strictObject({
  backbone: z.string(),
  dtype: z.string().nullable(),
  dataset: z.string(),
  tasks: z.union([z.literal('all'), z.array(z.string())]),
  methods: z.array(z.string()),
  budgets: z.array(z.string()),
  firstTokens: z.array(firstTokenSchema),
  semantics: z.array(semanticsSchema),
  scoring: scoringSchema,
  maxNewTokens: z.int(),
  decoding: decodingSchema,
  maxContext: z.int().nullable(),
  combineImages: z.literal(1).nullable(),
  /** `samples` = so many of all tasks together. */
  latency: latencyProtocolSchema.extend({ samples: z.int().nullable() }).nullable().default(null),
  attention: sessionKindSchema,
  device: deviceSchema,
  threads: z.int().positive(),
  limit: z.int().nullable(),
  seed: z.int().nullable(),
  visionCache: z.boolean(),
});

const countersSchema = z.strictObject({
  /** All commands on this directory together. */
  total: z.strictObject({ prefills: count, records: count }),
  /** The last command alone; `resumed` = records it found here already. */
  lastCommand: z.strictObject({
    prefills: count,
    /** `reused`: a decoded image of the same content served again. */
    images: z.strictObject({ decoded: count, reused: count }),
    /** Where image features came from; `unwritten`: encoded, and the vision cache could not take them. */
    features: z.strictObject({ encoded: count, fromMemory: count, fromDisk: count, unwritten: count }),
    /**
     * Samples by where their caches waited to be decoded: in memory, some in a temporary file, or in memory a group of
     * cells at a time, each prefilled anew. `movedBytes`: through the file, in and out.
     */
    caches: z.strictObject({ memory: count, spill: count, groups: count, movedBytes: count }),
    records: count,
    resumed: count,
    failures: count,
  }),
});

const milliseconds = z.number().nonnegative();

/** Of the last command: its wall time from the first sample on, and the stages within it. */
const timesSchema = z.strictObject({
  wall: milliseconds,
  input: milliseconds,
  prefill: milliseconds,
  compress: milliseconds,
  decode: milliseconds,
  compute: milliseconds,
});
export type RunTimes = z.infer<typeof timesSchema>;

/** Bytes, of the last command. */
const memorySchema = z.strictObject({
  /** What the longest prompt was estimated to take with all caches in memory, and what might be taken. */
  estimated: count,
  limit: count,
  /** What the process had at most in memory, `null` = it was cut short. Files that are mapped count. */
  peak: count.nullable(),
});

export const runManifestSchema = z.strictObject({
  format: z.literal(manifestFormat),
  identity: identitySchema,
  config: configSchema,
  versions: versionsSchema,
  machine: machineSchema,
  gitCommit: z.string().nullable(),
  counters: countersSchema,
  /** Milliseconds; `compute` = inside ONNX Runtime or compression. */
  times: timesSchema,
  memory: memorySchema,
  /** ISO 8601: first command, last change, and when the last command was through (`null` = it was cut short). */
  startedAt: z.string(),
  updatedAt: z.string(),
  finishedAt: z.string().nullable(),
});

/** `manifest.json`: what was run, with what, where and how far. Holds no absolute path. */
export type RunManifest = z.infer<typeof runManifestSchema>;
export type Machine = RunManifest['machine'];

/** The parts of a manifest that a command knows before it starts. */
export type RunDescription = Pick<
  RunManifest,
  'identity' | 'config' | 'versions' | 'machine' | 'gitCommit'
> & { readonly memory: Omit<RunManifest['memory'], 'peak'> };

/** Names of the identity's fields as the user knows them. */
const identityNames = {
  bundleSha256: 'backbone',
  datasetSha256: 'dataset',
  maxNewTokens: 'generation.max-new-tokens',
  decoding: 'generation.decoding',
  maxContext: 'max-context',
  combineImages: 'combine-images',
  latency: 'latency',
  attention: 'attention',
  device: 'device',
  seed: 'seed',
  compositions: 'compositions',
  recordVersion: 'version of the records',
} as const satisfies Record<keyof RunIdentity, string>;

/** The fields in which two runs differ, each once, in the words of the run file. */
export function differingFields(a: RunIdentity, b: RunIdentity): string[] {
  const fields = Object.keys(identityNames) as (keyof RunIdentity)[];
  const differs = (field: keyof RunIdentity): boolean =>
    field === 'compositions'
      ? redefined(a.compositions, b.compositions)
      : canonicalJson(a[field]) !== canonicalJson(b[field]);
  return fields.filter(differs).map((field) => identityNames[field]);
}

/** Whether a name means two things. */
function redefined(a: RunIdentity['compositions'], b: RunIdentity['compositions']): boolean {
  return Object.entries(a).some(([name, composition]) => Object.hasOwn(b, name) && b[name] !== composition);
}

/** How a latency run measures, `null` for an accuracy run. */
export function latencyProtocol({ latency }: RunConfig): LatencyProtocol | null {
  if (latency === null) return null;
  const { steps, 'warm-up': warmUp, repeats, 'null-test': nullTest } = latency;
  return { steps, warmUp, repeats, nullTest };
}

/** Tokens that a prompt has to leave room for: the longest answer, or the steps of a repeat and the token they end with. */
export function mostNewTokens(config: RunConfig): number {
  const { latency, generation } = config;
  return latency === null ? generation['max-new-tokens'] : latency['warm-up'] + latency.steps + 1;
}

/** The settings of a run that decide its prompts and answers. */
export function generationSettings(config: RunConfig, engine: EngineKind): GenerationSettings {
  return {
    maxNewTokens: mostNewTokens(config),
    decoding: config.generation.decoding,
    maxContext: config['max-context'],
    combineImages: config['combine-images'],
    ...engine,
  };
}

export function runIdentity({
  config,
  engine,
  bundleSha256,
  datasetSha256,
}: {
  readonly config: RunConfig;
  readonly engine: EngineKind;
  readonly bundleSha256: string;
  readonly datasetSha256: string;
}): RunIdentity {
  const compositions = Object.entries(config.compositions).map(([name, rules]) => [
    name,
    canonicalJson(rules),
  ]);
  return {
    bundleSha256,
    datasetSha256,
    ...generationSettings(config, engine),
    latency: latencyProtocol(config),
    seed: config.seed,
    compositions: Object.fromEntries(compositions),
    recordVersion,
  };
}

/** An absolute path says something about a machine, not about the run: its last part is enough. */
function portable(name: string): string {
  return path.isAbsolute(name) ? path.basename(name) : name;
}

/** The settings of a run as the manifest keeps them. */
export function manifestConfig(
  config: RunConfig,
  engine: EngineKind & { readonly threads: number },
): RunManifest['config'] {
  const { threads, ...kind } = engine;
  const protocol = latencyProtocol(config);
  return {
    backbone: portable(config.backbone),
    dtype: config.dtype,
    dataset: portable(config.dataset.root),
    tasks: config.dataset.tasks,
    methods: config.methods,
    budgets: config.budgets.map(budgetName),
    firstTokens: config['first-token'],
    semantics: config.semantics,
    scoring: config.scoring,
    ...generationSettings(config, kind),
    latency: protocol && { ...protocol, samples: config.latency?.samples ?? null },
    threads,
    limit: config.limit,
    seed: config.seed,
    visionCache: config['vision-cache'] !== false,
  };
}

/** The manifest of a command that begins now, on top of an earlier one of the same run. */
export function startManifest(
  description: RunDescription,
  before: RunManifest | null,
  now: Date,
): RunManifest {
  return {
    format: manifestFormat,
    ...description,
    identity: {
      ...description.identity,
      compositions: { ...before?.identity.compositions, ...description.identity.compositions },
    },
    counters: {
      total: before?.counters.total ?? { prefills: 0, records: 0 },
      lastCommand: {
        prefills: 0,
        images: { decoded: 0, reused: 0 },
        features: { encoded: 0, fromMemory: 0, fromDisk: 0, unwritten: 0 },
        caches: { memory: 0, spill: 0, groups: 0, movedBytes: 0 },
        records: 0,
        resumed: 0,
        failures: 0,
      },
    },
    times: { wall: 0, input: 0, prefill: 0, compress: 0, decode: 0, compute: 0 },
    memory: { ...description.memory, peak: null },
    startedAt: before?.startedAt ?? now.toISOString(),
    updatedAt: now.toISOString(),
    finishedAt: null,
  };
}

/** The manifest after a command: `began` with its counters filled in. */
export function endManifest(
  began: RunManifest,
  outcome: RunManifest['counters']['lastCommand'] & {
    readonly interrupted: boolean;
    readonly times: RunTimes;
    readonly peakBytes: number;
  },
  now: Date,
): RunManifest {
  const { interrupted, times, peakBytes, ...lastCommand } = outcome;
  const { total } = began.counters;
  return {
    ...began,
    counters: {
      total: {
        prefills: total.prefills + lastCommand.prefills,
        records: total.records + lastCommand.records,
      },
      lastCommand,
    },
    times,
    memory: { ...began.memory, peak: peakBytes },
    updatedAt: now.toISOString(),
    finishedAt: interrupted ? null : now.toISOString(),
  };
}
