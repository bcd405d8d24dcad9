import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { type BundleManifest, bundleFormat } from '../../src/backbone/bundle-manifest.js';
import { bundleSize } from '../../src/bench/memory-estimate.js';
import type { SampleJob } from '../../src/bench/sample-job.js';
import { benchCommand } from '../../src/cli/bench.js';
import type { BenchServices } from '../../src/cli/bench-services.js';
import { convertCommand } from '../../src/cli/convert.js';
import { dataCommand } from '../../src/cli/data.js';
import { type DoctorServices, doctorCommand } from '../../src/cli/doctor.js';
import { listCommand } from '../../src/cli/list.js';
import { runProgram } from '../../src/cli/program.js';
import { pullCommand } from '../../src/cli/pull.js';
import { scoreCommand } from '../../src/cli/score.js';
import { createOutput } from '../../src/cli/shell.js';
import { verifyCommand } from '../../src/cli/verify.js';
import { fakeRunner } from '../bench/fake-run.js';

export const packageRoot = path.resolve(import.meta.dirname, '../..');

export async function scratch(): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'lookm-cli-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

const one = 1 as const;

export const bundleManifest: BundleManifest = {
  format: bundleFormat,
  name: 'fake',
  family: 'llava',
  source: { kind: 'checkpoint', layout: 'llava-hf', files: [] },
  weights: { layers: { dtype: 'fp32' }, head: { dtype: 'fp32' }, vision: { dtype: 'fp32' } },
  matrices: [],
  text: {
    ...{ hiddenSize: one, intermediateSize: one, layers: one, heads: one, kvHeads: one, headDim: one },
    ...{ vocabSize: one, rmsNormEps: 1e-5, ropeTheta: 1e4, maxPositions: 100 },
  },
  vision: {
    ...{ tower: 'clip', projector: 'mlp2x_gelu', hiddenSize: one, imageSize: one, patchSize: one },
    ...{ layers: one, patches: 81, tokensPerImage: 81 },
  },
  image: { aspect: 'pad', size: 1, mean: [0, 0, 0], std: [1, 1, 1], rescaleFactor: 1 },
  prompt: { name: 'fake', before: '', after: '', stopStrings: [] },
  tokens: { bos: 1, eos: 2, addBos: true },
  embedding: { file: 'embedding.bin', dtype: 'F32' },
  graphs: { segments: ['a', 'b'], vision: 'c' },
  files: [{ path: 'a', bytes: 0, sha256: '0'.repeat(64) }],
};

export interface Called {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Services of `lookm bench` without a model. */
export const fakeServices: BenchServices = {
  runtimeVersion: '0.0.0',
  backboneSize: async () => bundleSize(bundleManifest),
  availableBytes: () => 2 ** 34,
  openBundle: async ({ directory }) => ({ directory, manifest: bundleManifest }),
  chooseEngine: async ({ device }) => ({ attention: 'portable', device }),
  openRunner: async () => fakeRunner(),
  openSetup: async () => {
    throw new Error('latency is measured on real models only');
  },
  gitCommit: async () => null,
};

/** Runs `lookm` in this process on fake services; `interrupt` in `beforeSample` plays Ctrl-C. */
export async function lookm(
  argv: readonly string[],
  options: {
    readonly cwd?: string;
    readonly env?: Readonly<Record<string, string>>;
    readonly colours?: boolean;
    readonly beforeSample?: (job: SampleJob, interrupt: () => void) => void;
    readonly bench?: BenchServices;
    readonly doctor?: Partial<DoctorServices>;
  } = {},
): Promise<Called> {
  const { cwd = packageRoot, env = {}, colours = false, beforeSample = () => {} } = options;
  const text = { stdout: '', stderr: '' };
  let interrupt = (): void => {};
  const services: BenchServices = options.bench ?? {
    ...fakeServices,
    openRunner: async () => fakeRunner((job) => beforeSample(job, () => interrupt())),
  };
  const doctor: DoctorServices = {
    selfTest: async () => [{ name: 'operators', ok: true, detail: 'exact' }],
    readCpuInfo: async () => 'flags\t: fpu avx2 avx512f\n',
    ...options.doctor,
  };
  const commands = [
    benchCommand(async () => services),
    scoreCommand,
    dataCommand,
    listCommand,
    pullCommand,
    convertCommand,
    doctorCommand(async () => doctor),
    verifyCommand,
  ];
  const code = await runProgram({
    commands,
    argv,
    openShell: (setExitCode) => ({
      stdout: createOutput((added) => {
        text.stdout += added;
      }, colours),
      stderr: createOutput((added) => {
        text.stderr += added;
      }, colours),
      terminal: null,
      env,
      cwd,
      packageRoot,
      setExitCode,
      onInterrupt: (stop) => {
        interrupt = stop;
        return () => {};
      },
    }),
  });
  return { code, ...text };
}
