import { availableParallelism } from 'node:os';
import path from 'node:path';
import type { Bundle } from '../backbone/open-bundle.js';
import { hashBundle, hashDataset } from '../bench/content-hashes.js';
import { describeMachine } from '../bench/machine.js';
import { bundleSize, fixedBytes, mostBytes } from '../bench/memory-estimate.js';
import type { RunMemory } from '../bench/memory-fit.js';
import {
  generationSettings,
  manifestConfig,
  type RunDescription,
  runIdentity,
} from '../bench/run-manifest.js';
import { MethodSet } from '../compression/method-set.js';
import { allocatedLayers } from '../compression/policy.js';
import { UserError } from '../core/errors.js';
import type { BenchServices, RunnerSettings } from './bench-services.js';
import { cacheDirectory } from './cache-directory.js';
import { packageVersion } from './program.js';
import type { Progress } from './progress.js';
import type { ResolvedRun } from './resolve-run.js';
import { memoryOf } from './run-memory.js';
import type { Shell } from './shell.js';

/** A run whose backbone is known: everything but the loaded weights. */
export interface PreparedRun {
  readonly bundle: Bundle;
  readonly bundleSha256: string;
  readonly description: RunDescription;
  readonly memory: RunMemory;
  readonly settings: RunnerSettings;
}

function visionCacheDirectory(setting: boolean | string, { env, cwd }: Shell): string | null {
  if (typeof setting === 'string') return path.resolve(cwd, setting);
  return setting ? cacheDirectory(env, 'vision') : null;
}

/** An allocation by layer is made for one number of layers. */
function refuseOtherLayers({ located, plan }: ResolvedRun, methods: MethodSet, layers: number): void {
  for (const { method, semantics } of plan.cells) {
    const wanted = allocatedLayers(methods.policy(method, semantics)).find((count) => count !== layers);
    if (wanted === undefined) continue;
    throw new UserError({
      what: `method ${method} allocates rows to ${wanted} layers, the backbone has ${layers}`,
      where: located.where(['compositions']),
      fix: 'give a weight to every layer',
    });
  }
}

/**
 * Finds what a run will be: its bundle, converted if need be, its identity, and what memory allows.
 *
 * @throws UserError when the backbone, the device or an allocation does not fit
 */
export async function prepareRun(
  run: ResolvedRun,
  services: BenchServices,
  { shell, converting }: { readonly shell: Shell; readonly converting: Progress },
): Promise<PreparedRun> {
  const { config, where } = run.located;
  const engine = await services.chooseEngine(config);
  const bundle = await services.openBundle(run.backbone, {
    where: where(['backbone']),
    progress: converting,
  });
  const threads = config.threads ?? availableParallelism();
  const bundleSha256 = hashBundle(bundle.manifest);
  const datasetSha256 = hashDataset(run.datasetTasks);
  const versions = {
    lookm: await packageVersion(shell.packageRoot),
    onnxruntime: services.runtimeVersion,
    node: process.versions.node,
  };
  const memory = memoryOf({ config, plan: run.plan }, bundleSize(bundle.manifest), services.availableBytes());
  const { estimate, limit } = memory;
  const description = {
    identity: runIdentity({ config, engine, bundleSha256, datasetSha256 }),
    config: manifestConfig(config, { ...engine, threads }),
    versions,
    machine: describeMachine(),
    gitCommit: await services.gitCommit(),
    memory: { estimated: Math.ceil(mostBytes(estimate)), limit: Math.floor(limit) },
  };
  const settings = {
    methods: new MethodSet(config.compositions),
    generation: generationSettings(config, engine),
    seed: config.seed ?? 0,
    threads,
    visionCache: visionCacheDirectory(config['vision-cache'], shell),
    cacheBytes: Math.max(0, limit - fixedBytes(estimate)),
  };
  refuseOtherLayers(run, settings.methods, bundle.manifest.text.layers);
  return { bundle, bundleSha256, description, memory, settings };
}
