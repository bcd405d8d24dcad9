import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { recordVersion, type SampleRecord } from '../../src/bench/record.js';
import type { RunDescription } from '../../src/bench/run-manifest.js';
import type { SampleJob, SampleRunner } from '../../src/bench/sample-job.js';
import { MethodSet } from '../../src/compression/method-set.js';
import type { RunConfig } from '../../src/config/run-config.js';
import { sha256 } from '../../src/core/content-hash.js';
import { loadTask, type Task } from '../../src/milebench/dataset.js';

/** A directory that is gone after the test. */
export async function scratch(): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'lookm-bench-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Writes a dataset of open questions with one image each and loads it. */
export async function writeTask(root: string, name: string, samples: number): Promise<Task> {
  const imageDir = path.join(root, name, 'images');
  await mkdir(imageDir, { recursive: true });
  const data: unknown[] = [];
  for (let index = 0; index < samples; index++) {
    await writeFile(path.join(imageDir, `${index}.png`), `image ${index} of ${name}`);
    data.push({
      sample_id: index,
      task_instruction_id: 0,
      task_instance: { context: `What is in {image#1}? ${index}`, images_path: [`${index}.png`] },
      response: `answer ${index}`,
    });
  }
  const meta_data = { task_instruction: ['Look.'], question_type: 'open-ended' };
  const annotationFile = path.join(root, name, `${name}.json`);
  await writeFile(annotationFile, JSON.stringify({ meta_data, data }));
  return loadTask({
    name,
    column: 'S-2',
    metric: 'rouge-l',
    definedBy: 'columns file',
    annotationFile,
    imageDir,
  });
}

export const config: RunConfig = {
  backbone: 'fake',
  dtype: null,
  dataset: { root: 'data', tasks: 'all' },
  methods: ['full', 'h2o'],
  compositions: {},
  budgets: [{ kind: 'ratio', recent: 0.1, important: 0.1 }],
  'first-token': ['prefill', 'cache'],
  semantics: ['release'],
  scoring: 'release',
  'max-context': null,
  'combine-images': null,
  generation: { 'max-new-tokens': 16, decoding: 'alone' },
  latency: null,
  attention: 'auto',
  device: 'cpu',
  threads: null,
  limit: null,
  seed: null,
  'vision-cache': false,
  memory: null,
  out: null,
};

export const generation = {
  maxNewTokens: 16,
  decoding: 'alone',
  maxContext: null,
  combineImages: null,
  attention: 'portable',
  device: 'cpu',
} as const;

export const methods = new MethodSet();

export const description: RunDescription = {
  identity: {
    bundleSha256: 'bundle',
    datasetSha256: 'dataset',
    maxNewTokens: 16,
    decoding: 'alone',
    maxContext: null,
    combineImages: null,
    latency: null,
    attention: 'portable',
    device: 'cpu',
    seed: null,
    compositions: {},
    recordVersion,
  },
  config: {
    backbone: 'fake',
    dtype: null,
    dataset: 'data',
    tasks: 'all',
    methods: ['full', 'h2o'],
    budgets: ['20%'],
    firstTokens: ['prefill', 'cache'],
    semantics: ['release'],
    scoring: 'release',
    maxNewTokens: 16,
    decoding: 'alone',
    maxContext: null,
    combineImages: null,
    latency: null,
    attention: 'portable',
    device: 'cpu',
    threads: 1,
    limit: null,
    seed: null,
    visionCache: false,
  },
  versions: { lookm: '0', onnxruntime: '0', node: '0' },
  machine: { cpu: 'fake', cores: 1, memoryBytes: 1, platform: 'fake' },
  gitCommit: null,
  memory: { estimated: 1, limit: 2 },
};

function fakeRecord({ task, sample }: SampleJob, { cell, key }: SampleJob['cells'][number]): SampleRecord {
  return {
    version: recordVersion,
    key,
    backbone: 'fake',
    task: task.info.name,
    column: task.info.column,
    metric: task.info.metric,
    sampleId: sample.sampleId,
    quantityLevel: sample.quantityLevel,
    cell,
    answer: sample.response,
    tokens: [1, 2],
    response: sample.response,
    choices: null,
    scores: {
      release: { score: Number.parseInt(key.slice(0, 2), 16) / 255, extracted: null },
      fixed: { score: 1, extracted: null },
    },
    prompt: { tokens: 100, textTokens: 20, images: 1, sha256: sha256(sample.context), pixelsSha256: '' },
    cache: {
      nominal: { rows: [20], bytes: [1], ratio: [0.2] },
      effective: { rows: [20], bytes: [1], ratio: [0.2] },
      ...{ bytesEnd: 2, keptSha256: [], outcome: '', remarks: [] },
    },
    time: { prefill: 10, compress: 1, decode: 2, steps: [2] },
  };
}

/** A runner without a model that remembers what it was asked; `before` may throw. */
export function fakeRunner(before: (job: SampleJob) => void = () => {}): SampleRunner & {
  readonly jobs: SampleJob[];
  readonly closed: () => number;
} {
  const jobs: SampleJob[] = [];
  let closed = 0;
  return {
    jobs,
    closed: () => closed,
    prefills: () => jobs.length,
    images: () => ({ decoded: jobs.length, reused: 0 }),
    features: () => ({ encoded: jobs.length, fromMemory: 0, fromDisk: 0, unwritten: 0 }),
    caches: () => ({ memory: jobs.length, spill: 0, groups: 0, movedBytes: 0 }),
    times: () => ({ input: 1, prefill: 2, compress: 3, decode: 4, compute: 9 }),
    async close() {
      closed++;
    },
    async runSample(job) {
      before(job);
      jobs.push(job);
      return job.cells.map((keyed) => fakeRecord(job, keyed));
    },
  };
}
