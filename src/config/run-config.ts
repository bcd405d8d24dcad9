import { z } from 'zod';
import type { Problem } from '../core/errors.js';
import { parseBudget } from './budget.js';
import { parseByteSize } from './byte-size.js';
import {
  attentionSchema,
  decodingSchema,
  deviceSchema,
  firstTokenSchema,
  scoringSchema,
  semanticsSchema,
} from './protocols.js';
import type { YamlKind } from './yaml-source.js';

/** More answer tokens than any MileBench answer has; also bounds the decode buffers. */
const mostNewTokens = 4096;

/** Longer than the context of any backbone of the paper. */
const longestContext = 1 << 20;

/** MileBench's own limit on answers, where the run file names none. */
const defaultNewTokens = 512;

/** Decode steps or repeats beyond this are a mistake. */
const mostRepeats = 10_000;

/** More than any machine here has: a number beyond this is a mistake. */
const mostThreads = 1024;

/** Longest list of tasks, methods or budgets: a grid beyond this is a mistake. */
const longestList = 1000;

/** A method of one's own: rules by stage, as written. */
export type WrittenCompositions = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** What a run file may say of methods; this room does not know them. */
export interface KnownMethods {
  /** What is wrong with a composition, and with which of its stages (null: with its name), or null. */
  compositionProblem(
    name: string,
    composition: Readonly<Record<string, unknown>>,
  ): { readonly stage: string | null; readonly problem: Omit<Problem, 'where'> } | null;
  /** What is wrong with the name of a method, beside these compositions, or null. */
  methodProblem(name: string, compositions: WrittenCompositions): Omit<Problem, 'where'> | null;
}

const text = z.string().min(1);

/** A list, or a single entry written without brackets. */
function listOf<T extends z.ZodType>(entry: T) {
  return z.preprocess(
    (value) => (Array.isArray(value) || value === undefined ? value : [value]),
    z.array(entry).min(1).max(longestList),
  );
}

/** `custom` issues carry the remedy beside the message. */
function report(context: z.RefinementCtx, problem: Omit<Problem, 'where'>, path: PropertyKey[] = []): void {
  context.addIssue({ code: 'custom', path, message: problem.what, params: { fix: problem.fix } });
}

const budgetSchema = z.unknown().transform((value, context) => {
  const parsed = parseBudget(value);
  if ('budget' in parsed) return parsed.budget;
  report(context, parsed.problem);
  return z.NEVER;
});

/** Bytes, from text such as `8GiB`. */
const memorySchema = z.unknown().transform((value, context): number => {
  const bytes = typeof value === 'string' ? parseByteSize(value) : null;
  if (bytes !== null && bytes > 0) return bytes;
  report(context, { what: `memory is a size, not ${JSON.stringify(value)}`, fix: 'write 8GiB or 512MiB' });
  return z.NEVER;
});

/** `true` = in the cache of `lookm`, else a directory. */
const visionCacheSchema = z.unknown().transform((value, context): boolean | string => {
  if (typeof value === 'boolean' || (typeof value === 'string' && value !== '')) return value;
  report(context, { what: 'vision-cache is true, false or a directory', fix: 'correct the value' });
  return z.NEVER;
});

const datasetShape = {
  /** A name in the package's `datasets/`, or a directory. */
  root: text,
  /** `all`, or names of datasets and columns. */
  tasks: z.preprocess(
    (value) => (typeof value === 'string' && value !== 'all' ? [value] : value),
    z.union([z.literal('all'), z.array(text).min(1).max(longestList)]),
  ),
};

const generationShape = {
  'max-new-tokens': z.int().positive().max(mostNewTokens).default(defaultNewTokens),
  /** Together is faster; only alone times the decode steps of a cell. */
  decoding: decodingSchema.default('alone'),
};

/** How `lookm bench --latency` measures. */
const latencyShape = {
  /** Drawn from all samples of the run together, by the run's seed; `null` = all. */
  samples: z.int().positive().nullable().default(null),
  /** Decode steps of a cell that are timed in each repeat; end-of-sequence tokens do not end them. */
  steps: z.int().positive().max(mostNewTokens).default(32),
  /** Steps before them that are not. */
  'warm-up': z.int().nonnegative().max(mostNewTokens).default(4),
  /** How often the cells take turns. */
  repeats: z.int().positive().max(mostRepeats).default(7),
  /** Whether the full cache takes part a second time, as if it were another method. */
  'null-test': z.boolean().default(true),
};

const runConfigShape = {
  /** A name in the package's `models/`, a bundle or checkpoint directory, or what was pulled. */
  backbone: text,
  dataset: z.strictObject(datasetShape),
  /** Element types of the backbone, such as `int4`: which bundle is meant, or what a checkpoint is converted to. */
  dtype: text.nullable().default(null),
  methods: listOf(text),
  /** Methods of one's own by name: rules by stage. */
  compositions: z.record(text, z.record(z.string(), z.unknown())).default({}),
  budgets: z.preprocess(
    (value) => (Array.isArray(value) || value === undefined ? value : [value]),
    z.array(budgetSchema).max(longestList).default([]),
  ),
  'first-token': listOf(firstTokenSchema).default(['prefill', 'cache']),
  semantics: listOf(semanticsSchema).default(['release']),
  /** Which scores the tables show; both are recorded. */
  scoring: scoringSchema.default('release'),
  /**
   * Tokens of instruction, context and images, the template not counted: MileBench's `max_context_len`. `null` = as
   * many as leave room for template and answer.
   */
  'max-context': z.int().positive().max(longestContext).nullable().default(null),
  /** 1 = all images of a sample combined into one picture (`combined_1_images`); `null` = the images themselves. */
  'combine-images': z.literal(1).nullable().default(null),
  generation: z.strictObject(generationShape).prefault({}),
  /** Measures decode latency instead of accuracy; `null` = an accuracy run. */
  latency: z.strictObject(latencyShape).nullable().default(null),
  attention: attentionSchema.default('auto'),
  device: deviceSchema.default('cpu'),
  /** Threads of ONNX Runtime; `null` = as many as the machine runs at a time. */
  threads: z.int().positive().max(mostThreads).nullable().default(null),
  /** Samples per task; `null` = all. */
  limit: z.int().positive().nullable().default(null),
  /** Draws the samples of a limit; `null` = the first ones. */
  seed: z.int().nonnegative().max(0xffffffff).nullable().default(null),
  /** Whether, and in which directory, features of images are kept from run to run. */
  'vision-cache': visionCacheSchema.default(false),
  /** Bytes that a run may take; `null` = what the machine has available. */
  memory: memorySchema.nullable().default(null),
  /** Run directory; `null` = `results/<name of the run file>`. */
  out: text.nullable().default(null),
};

export const runFile: YamlKind = Object.freeze({
  name: 'run file',
  example: 'configs/quickstart.yaml',
  keys: {
    '': Object.keys(runConfigShape),
    dataset: Object.keys(datasetShape),
    generation: Object.keys(generationShape),
    latency: Object.keys(latencyShape),
  },
});

type BaseConfig = z.output<z.ZodObject<typeof runConfigShape>>;

/** Names and rules that only whoever knows the methods can check. */
function checkMethods(config: BaseConfig, known: KnownMethods, context: z.RefinementCtx): void {
  const { methods, compositions, budgets } = config;
  for (const [name, composition] of Object.entries(compositions)) {
    const wrong = known.compositionProblem(name, composition);
    if (wrong === null) continue;
    report(context, wrong.problem, ['compositions', name, ...(wrong.stage === null ? [] : [wrong.stage])]);
    return;
  }
  for (const [index, name] of methods.entries()) {
    const problem = known.methodProblem(name, compositions);
    if (problem !== null) report(context, problem, ['methods', index]);
  }
  const evicting = methods.find((method) => method !== 'full' && !method.startsWith('full+'));
  if (evicting === undefined || budgets.length > 0) return;
  report(context, { what: `method ${evicting} needs a budget`, fix: 'add budgets: [20%]' }, ['budgets']);
}

/** Times of a step belong to one cell only where cells decode alone. */
function checkLatency({ latency, generation }: BaseConfig, context: z.RefinementCtx): void {
  if (latency === null || generation.decoding === 'alone') return;
  const what = 'a latency run times the steps of each cell alone';
  report(context, { what, fix: 'use decoding: alone' }, ['generation', 'decoding']);
}

/** Schema of a run file: strict, defaults filled in, methods checked by whoever knows them. */
export function runConfigSchema(known: KnownMethods) {
  return z.strictObject(runConfigShape).superRefine((config, context) => {
    checkMethods(config, known, context);
    checkLatency(config, context);
  });
}

/** A run file as read, with every default filled in. */
export type RunConfig = z.output<ReturnType<typeof runConfigSchema>>;
export type LatencyConfig = NonNullable<RunConfig['latency']>;
