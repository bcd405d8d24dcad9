import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { type Bundle, openBundle } from '../backbone/open-bundle.js';
import { openFeatureFiles } from '../bench/feature-files.js';
import { ImageFeatures } from '../bench/image-features.js';
import { ImageReader } from '../bench/image-reader.js';
import { availableBytes } from '../bench/machine.js';
import { type BackboneSize, bundleSize, loadedBytes } from '../bench/memory-estimate.js';
import { type Backbone, openBackbone } from '../bench/open-backbone.js';
import type { GenerationSettings } from '../bench/record-key.js';
import type { SampleRunner } from '../bench/sample-job.js';
import { createSampleRunner } from '../bench/sample-runner.js';
import { dimensionFinder } from '../checkpoint/dimension-finder.js';
import type { CheckpointDescription } from '../checkpoint/families/family.js';
import { openCheckpoint, readCheckpointConfigs } from '../checkpoint/open-checkpoint.js';
import type { MethodSet } from '../compression/method-set.js';
import { convertCheckpoint } from '../convert/convert-checkpoint.js';
import { dtypeName, formatsName } from '../convert/dtype-name.js';
import { estimateBundleBytes } from '../convert/estimate-bundle.js';
import type { DtypeOptions } from '../convert/weight-formats.js';
import { UserError } from '../core/errors.js';
import { chooseEngine, type EngineKind, type EngineRequest, openRuntime } from '../engine/open-runtime.js';
import { choosePinning } from '../engine/pinning.js';
import { requiredRuntimeVersion } from '../engine/portable-sessions.js';
import type { Runtime } from '../engine/runtime.js';
import { selfTest } from '../engine/self-test.js';
import { openLatencyMachine } from '../latency/latency-machine.js';
import type { LatencySetup } from '../latency/latency-setup.js';
import { backboneKind, checkpointFingerprint, findCachedBundle } from './bundle-cache.js';
import { cacheDirectory } from './cache-directory.js';
import type { Progress } from './progress.js';
import type { ResolvedBackbone } from './resolve-backbone.js';
import type { Shell } from './shell.js';

/** What a runner is told of the run file. */
export interface RunnerSettings {
  readonly methods: MethodSet;
  readonly generation: GenerationSettings;
  /** What random methods draw from. */
  readonly seed: number;
  /** Threads of ONNX Runtime. */
  readonly threads: number;
  /** What the caches of a sample may take in memory. */
  readonly cacheBytes: number;
  /** Directory of the vision cache, `null` without one. */
  readonly visionCache: string | null;
}

/** The heavy parts of `lookm bench`, which its tests replace. */
export interface BenchServices {
  /** Version of ONNX Runtime. */
  readonly runtimeVersion: string;
  /** Sizes of a backbone, read without converting anything. */
  backboneSize(backbone: ResolvedBackbone, where: string): Promise<BackboneSize>;
  /** Bytes of memory that a run may take. */
  availableBytes(): number;
  /** The bundle of a directory; a checkpoint is converted into the cache on first use. */
  openBundle(
    backbone: ResolvedBackbone,
    options: { readonly where: string; readonly progress: Progress },
  ): Promise<Bundle>;
  /** What a request for attention and device comes to on this machine. */
  chooseEngine(request: EngineRequest): Promise<EngineKind>;
  openRunner(bundle: Bundle, settings: RunnerSettings): Promise<SampleRunner>;
  /** What measures latency: the same, on pinned threads. */
  openSetup(bundle: Bundle, settings: RunnerSettings): Promise<LatencySetup>;
  /** Commit of the package's own checkout, if it is one. */
  gitCommit(): Promise<string | null>;
}

const mebibyte = 2 ** 20;

/** What a checkpoint is converted to unless asked otherwise. */
const checkpointDtypes: DtypeOptions = { dtype: 'fp32' };

/** The size of the bundle that a checkpoint will become. */
function checkpointSize(description: CheckpointDescription, dtypes: DtypeOptions): BackboneSize {
  const { text, projector } = description.find({ model: dimensionFinder, tower: dimensionFinder });
  return {
    text: text.shape,
    tokensPerImage: projector.shape.tokens,
    weights: estimateBundleBytes(description, dtypes) * loadedBytes[dtypes.dtype],
  };
}

/** The file that decodes images on a thread of its own, in the built package. */
const imageWorker = 'dist/bench/image-worker.js';

async function openConverted(
  { directory: checkpoint, dtypes }: ResolvedBackbone,
  shell: Shell,
  progress: Progress,
): Promise<Bundle> {
  const name = path.basename(checkpoint);
  const { sourceFiles, close } = await openCheckpoint({ path: checkpoint });
  const fingerprint = await checkpointFingerprint(sourceFiles).finally(close);
  const asked = dtypes ?? checkpointDtypes;
  const variant = dtypeName(asked) === 'fp32' ? '' : `-${dtypeName(asked)}`;
  const out = path.join(cacheDirectory(shell.env, 'bundles'), `${name}-${fingerprint}${variant}`);
  const cached = await findCachedBundle(out);
  if (cached !== null) return cached;
  try {
    await convertCheckpoint({
      checkpoint,
      out,
      ...asked,
      name,
      onProgress: ({ doneBytes, totalBytes }) => {
        const [done, total] = [doneBytes, totalBytes].map((bytes) => Math.ceil(bytes / mebibyte));
        progress.update(done ?? 0, total ?? 0, `converting ${name}`);
      },
    });
  } finally {
    progress.stop();
  }
  return openBundle(out, { verify: 'sizes' });
}

function refuseOtherDtypes({ manifest }: Bundle, dtypes: DtypeOptions, where: string): void {
  const [has, wanted] = [formatsName(manifest.weights), dtypeName(dtypes)];
  if (has === wanted) return;
  const what = `the bundle has weights of ${has}, not ${wanted}`;
  throw new UserError({ what, where, fix: 'leave out the element type or give another bundle' });
}

async function requireSelfTest(runtime: Runtime): Promise<void> {
  const failed = (await selfTest(runtime)).find(({ ok }) => !ok);
  if (failed === undefined) return;
  const what = `this machine computes wrongly: ${failed.name} (${failed.detail})`;
  throw new UserError({ what, fix: 'run `lookm doctor`' });
}

/** A backbone that is known to compute rightly here, on these processors, and what feeds it images. */
async function openParts(
  bundle: Bundle,
  { visionCache, threads, generation }: RunnerSettings,
  shell: Shell,
  processors: readonly number[] | null,
): Promise<{
  readonly backbone: Backbone;
  readonly images: ImageReader;
  readonly features: ImageFeatures;
}> {
  // Its thread starts while the backbone is loaded.
  const workerFile = path.join(shell.packageRoot, imageWorker);
  const images = new ImageReader({ settings: bundle.manifest.image, workerFile });
  try {
    const { attention, device } = generation;
    const runtime = await openRuntime({ attention, device, threads, processors });
    await requireSelfTest(runtime);
    const checked = await openBundle(bundle.directory, { verify: 'hashes' });
    const files =
      visionCache === null ? null : await openFeatureFiles(visionCache, checked.manifest, { device });
    const backbone = await openBackbone(checked, runtime);
    return { backbone, images, features: new ImageFeatures(backbone.vision.encode, { files }) };
  } catch (error) {
    await images.close();
    throw error;
  }
}

/** The services that do the work. */
export function createBenchServices(shell: Shell): BenchServices {
  return {
    runtimeVersion: requiredRuntimeVersion,
    async backboneSize({ directory, dtypes }, where) {
      if ((await backboneKind(directory, where)) === 'bundle') {
        return bundleSize((await openBundle(directory, { verify: 'sizes' })).manifest);
      }
      const { description } = await readCheckpointConfigs({ path: directory });
      return checkpointSize(description, dtypes ?? checkpointDtypes);
    },
    availableBytes,
    async openBundle(backbone, { where, progress }) {
      const { directory, dtypes } = backbone;
      if ((await backboneKind(directory, where)) === 'checkpoint')
        return openConverted(backbone, shell, progress);
      const bundle = await openBundle(directory, { verify: 'sizes' });
      if (dtypes !== null) refuseOtherDtypes(bundle, dtypes, where);
      return bundle;
    },
    chooseEngine,
    async openRunner(bundle, settings) {
      const parts = await openParts(bundle, settings, shell, null);
      return createSampleRunner({
        ...parts,
        ...settings,
        spillDirectory: cacheDirectory(shell.env, 'spill'),
      });
    },
    async openSetup(bundle, settings) {
      const pinning = await choosePinning(settings.threads);
      const processors = pinning.kind === 'pinned' ? pinning.processors : null;
      const parts = await openParts(bundle, settings, shell, processors);
      const machine = await openLatencyMachine(parts.backbone.runtime, pinning);
      return {
        ...parts,
        machine,
        close: async () => {
          await machine.close();
          await parts.images.close();
          await parts.features.close();
          await parts.backbone.close();
        },
      };
    },
    async gitCommit() {
      const options = { cwd: shell.packageRoot };
      const git = promisify(execFile);
      // An installed package may lie inside somebody else's checkout.
      const root = await git('git', ['rev-parse', '--show-prefix', 'HEAD'], options).catch(() => null);
      const [prefix, commit] = root?.stdout.split('\n') ?? [];
      return prefix === '' && commit !== undefined && /^[0-9a-f]{40}$/.test(commit) ? commit : null;
    },
  };
}
