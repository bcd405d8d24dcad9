import { appendFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { hashDataset, hashSample } from '../../src/bench/content-hashes.js';
import { type KeySettings, recordKeys } from '../../src/bench/record-key.js';
import { generation, scratch, writeTask } from './fake-run.js';

type Parts = KeySettings & { readonly task: string; readonly sampleSha256: string };

function recordKey({ task, sampleSha256, ...settings }: Parts): string {
  return recordKeys(settings)(task, sampleSha256);
}

const parts: Parts = {
  bundleSha256: 'b',
  task: 't',
  sampleSha256: 's',
  cell: {
    method: 'h2o',
    semantics: 'release',
    budget: { kind: 'ratio', recent: 0.1, important: 0.1 },
    firstToken: 'cache',
  },
  policy: 'p',
  seed: null,
  generation,
};

test('a key does not depend on the order of fields', () => {
  const { cell, ...others } = parts;
  const { budget, ...rest } = cell;
  expect(recordKey({ ...others, cell: { budget, ...rest } })).toBe(recordKey(parts));
});

test.each<[string, Partial<typeof parts>]>([
  ['bundle', { bundleSha256: 'c' }],
  ['task', { task: 'u' }],
  ['sample', { sampleSha256: 'u' }],
  ['budget', { cell: { ...parts.cell, budget: { kind: 'ratio', recent: 0.1, important: 0.2 } } }],
  ['kind of budget', { cell: { ...parts.cell, budget: { kind: 'tokens', recent: 0.1, important: 0.1 } } }],
  ['semantics', { cell: { ...parts.cell, semantics: 'paper' } }],
  ['protocol', { cell: { ...parts.cell, firstToken: 'prefill' } }],
  ['policy', { policy: 'q' }],
  ['seed of random methods', { seed: 1 }],
  ['decoding', { generation: { ...generation, decoding: 'together' } }],
  ['answer length', { generation: { ...generation, maxNewTokens: 17 } }],
  ['context', { generation: { ...generation, maxContext: 4096 } }],
  ['attention', { generation: { ...generation, attention: 'native' } }],
  ['device', { generation: { ...generation, device: 'cuda' } }],
  ['kind of image', { generation: { ...generation, combineImages: 1 } }],
])('another %s gives another key', (_name, change) => {
  expect(recordKey({ ...parts, ...change })).not.toBe(recordKey(parts));
});

test('the hash of a sample changes with its images and its text, and not with where it lies', async () => {
  const [here, there] = [await scratch(), await scratch()];
  const [task, moved] = [await writeTask(here, 'Things', 2), await writeTask(there, 'Things', 2)];
  const [first, second] = task.samples;
  const before = hashSample(task, first!, null);
  expect(hashSample(moved, moved.samples[0]!, null)).toBe(before);
  expect(hashSample(task, second!, null)).not.toBe(before);
  expect(hashSample(task, { ...first!, context: 'What else?' }, null)).not.toBe(before);
  expect(hashSample({ ...task, taskInstructions: ['Do not look.'] }, first!, null)).not.toBe(before);
  await writeFile(path.join(task.info.imageDir, '0.png'), 'another image');
  expect(hashSample(task, first!, null)).not.toBe(before);
});

test('the hash of a dataset changes with annotations, columns and metrics', async () => {
  const root = await scratch();
  const { info } = await writeTask(root, 'Things', 1);
  const before = await hashDataset([info]);
  expect(await hashDataset([{ ...info, column: 'T-1' }])).not.toBe(before);
  expect(await hashDataset([{ ...info, metric: 'needle' }])).not.toBe(before);
  expect(await hashDataset([])).not.toBe(before);
  await appendFile(info.annotationFile, '\n');
  expect(await hashDataset([info])).not.toBe(before);
});
