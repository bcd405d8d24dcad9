import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { readImage } from '../../src/backbone/decode-image.js';
import { hashDirectory } from '../../src/cli/embedded-assets.js';
import { sha256 } from '../../src/core/content-hash.js';
import { UserError } from '../../src/core/errors.js';
import { checkTree } from '../../src/milebench/check/check-tree.js';
import { listTasks, loadTask } from '../../src/milebench/dataset.js';
import type { SubsetRule } from '../../src/milebench/subset/choose-subset.js';
import { writeSubset } from '../../src/milebench/subset/write-subset.js';
import { normaliseAnswer } from '../../src/scoring/normalise-answer.js';
import { draftDataset, jpeg, writeColumns, writeDraft } from './tree-drafts.js';

let scratch = '';
let root = '';
beforeEach(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), 'lookm-subset-'));
  onTestFinished(() => rm(scratch, { recursive: true }));
  root = path.join(scratch, 'tree');
});

const mine = draftDataset('Mine', { metric: 'rouge-l', samples: 6, images: (sample) => 2 * sample + 1 });
const alfred = draftDataset('ALFRED', { metric: 'rouge-l', samples: 4 });
const gpr = draftDataset('GPR1200', { samples: 5, images: (sample) => (sample === 0 ? 33 : 2) });

/** The tree of three datasets, written in this order. */
async function writeTree(to: string, drafts = [mine, alfred, gpr]): Promise<void> {
  for (const draft of drafts) await writeDraft(to, draft);
  await writeColumns(to, [mine], { TQA: { column: 'S-1', metric: 'accuracy' } });
}

async function cut(
  rule: Partial<SubsetRule> = {},
  { from = root, out = path.join(scratch, 'out') }: { readonly from?: string; readonly out?: string } = {},
) {
  const tasks = await listTasks(from);
  const whole: SubsetRule = { amount: { kind: 'total', samples: 7 }, seed: 0, stratify: false, ...rule };
  return { out, subset: await writeSubset({ root: from, out, tasks, taskNames: 'all', rule: whole }) };
}

const check = (directory: string) =>
  checkTree(directory, {
    ...{ normaliseAnswer, metrics: ['accuracy', 'rouge-l', 'needle'], readImage, concurrency: 2 },
  });

describe('a written subset', () => {
  test.each([false, true])('is a clean tree with every chosen sample (stratified: %s)', async (stratify) => {
    await writeTree(root);
    const { out, subset } = await cut({ stratify });
    const report = await check(out);
    expect(report.problems).toEqual([]);
    expect(report.datasets.reduce((sum, { samples }) => sum + samples, 0)).toBe(7);
    expect(report.datasets.map(({ unusedImages }) => unusedImages)).toEqual(report.datasets.map(() => 0));
    const tasks = await Promise.all((await listTasks(out)).map(loadTask));
    expect(tasks.flatMap(({ failures }) => failures)).toEqual([]);
    const chosen = subset.datasets.filter(({ samples }) => samples > 0);
    expect(tasks.map(({ info, samples }) => [info.name, samples.length])).toEqual(
      chosen.map(({ name, samples }) => [name, samples]),
    );
  });

  test('is the same, byte for byte, from a tree that was written in another order', async () => {
    await writeTree(root);
    const other = path.join(scratch, 'other');
    await writeTree(other, [gpr, alfred, mine]);
    const first = await cut({ stratify: true });
    const second = await cut({ stratify: true }, { from: other, out: path.join(scratch, 'out2') });
    expect(await hashDirectory(second.out)).toBe(await hashDirectory(first.out));
    const third = await cut({ stratify: true, seed: 1 }, { out: path.join(scratch, 'out3') });
    expect(await hashDirectory(third.out)).not.toBe(await hashDirectory(first.out));
  });

  test('keeps entries, images and definitions as they are', async () => {
    await writeTree(root);
    const file = path.join(root, 'Mine/Mine.json');
    const source = (await readFile(file, 'utf8')).replace('"sample_id": 4', '"x": 1.0, "sample_id": "4"');
    await writeFile(file, source);
    const { out } = await cut({ amount: { kind: 'per-dataset', samples: 6 } });
    expect(await readFile(path.join(out, 'Mine/Mine.json'), 'utf8')).toBe(source);
    expect(await hashDirectory(path.join(out, 'ALFRED'))).toBe(
      await hashDirectory(path.join(root, 'ALFRED')),
    );
    expect(JSON.parse(await readFile(path.join(out, 'columns.json'), 'utf8'))).toEqual({
      Mine: { column: 'T-1', metric: 'rouge-l' },
    });
  });

  test('says where it comes from, without paths of this machine', async () => {
    await writeTree(root);
    const { out, subset } = await cut({ seed: 5 });
    const text = await readFile(path.join(out, 'subset.json'), 'utf8');
    expect(JSON.parse(text)).toEqual(subset);
    expect(text).not.toContain(scratch);
    expect(subset).toMatchObject({
      ...{ format: 1, ruleVersion: 1, tasks: 'all', samples: 7 },
      rule: { amount: { kind: 'total', samples: 7 }, seed: 5, stratify: false },
    });
    expect(subset.datasets.map(({ name, of }) => [name, of])).toEqual([
      ['Mine', 6],
      ['ALFRED', 4],
      ['GPR1200', 5],
    ]);
    const annotation = await readFile(path.join(root, 'Mine/Mine.json'));
    expect(subset.datasets[0]?.sourceSha256).toBe(sha256(annotation));
  });

  test('has no folder for a dataset of which nothing is chosen, and no columns file for official ones', async () => {
    await writeDraft(root, alfred);
    await writeDraft(root, gpr);
    const { out } = await cut({ amount: { kind: 'total', samples: 1 } });
    const [dataset, ...others] = (await readdir(out)).filter((name) => name !== 'subset.json');
    expect(['ALFRED', 'GPR1200']).toContain(dataset);
    expect(others).toEqual([]);
  });

  test('chooses from samples that can be run, and counts the others', async () => {
    await writeTree(root);
    await rm(path.join(root, 'ALFRED/images/2_1.jpg'));
    const { out, subset } = await cut({ amount: { kind: 'per-dataset', samples: 4 } });
    expect(subset.datasets[1]).toMatchObject({ name: 'ALFRED', samples: 3, of: 3, unusable: 1 });
    expect((await check(out)).problems).toEqual([]);
  });

  test('brings combined pictures along, and counts those that are missing', async () => {
    const combined = structuredClone(alfred.annotation);
    for (const sample of combined.data)
      sample.task_instance['combined_1_images'] = [`${sample['sample_id']}-0.jpg`];
    await writeDraft(root, { ...alfred, annotation: combined });
    await mkdir(path.join(root, 'ALFRED/combined_1_images'));
    for (const id of [1, 2, 3])
      await writeFile(path.join(root, `ALFRED/combined_1_images/${id}-0.jpg`), jpeg);
    const { out, subset } = await cut({ amount: { kind: 'per-dataset', samples: 4 } });
    expect(await readdir(path.join(out, 'ALFRED/combined_1_images'))).toEqual([
      '1-0.jpg',
      '2-0.jpg',
      '3-0.jpg',
    ]);
    expect(subset.datasets[0]).toMatchObject({ images: 15, missingPictures: 1 });
  });

  test('holds files where the tree has links within its folder', async () => {
    await writeTree(root);
    await rm(path.join(root, 'ALFRED/images/1_0.png'));
    await symlink('2_0.png', path.join(root, 'ALFRED/images/1_0.png'));
    const { out } = await cut({ amount: { kind: 'per-dataset', samples: 4 } });
    const copy = path.join(out, 'ALFRED/images/1_0.png');
    expect((await stat(copy)).isFile()).toBe(true);
    expect(await readFile(copy)).toEqual(alfred.images.get('2_0.png'));
  });
});

describe('a subset is not written', () => {
  async function refusal(out: string, rule: Partial<SubsetRule> = {}): Promise<string> {
    const error = await cut(rule, { out }).then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(UserError);
    return (error as UserError).message;
  }

  test('over something that is there, but into an empty folder', async () => {
    await writeTree(root);
    const out = path.join(scratch, 'out');
    await mkdir(out);
    await cut();
    expect(await refusal(out)).toBe(`${out}: already exists; give another --out or remove it`);
    const file = path.join(scratch, 'file');
    await writeFile(file, '');
    expect(await refusal(file)).toContain('already exists');
  });

  test('into the tree it is taken from', async () => {
    await writeTree(root);
    expect(await refusal(path.join(root, 'small'))).toContain('lies inside the tree');
    expect(await refusal(root)).toContain('lies inside the tree');
    await cut({}, { out: path.join(scratch, 'tree-small') });
  });

  test('when fewer samples are there, and leaves nothing behind', async () => {
    await writeTree(root);
    const before = await readdir(scratch);
    const message = await refusal(path.join(scratch, 'out'), { amount: { kind: 'total', samples: 16 } });
    expect(message).toBe('--samples: asks for 16 samples, and 15 can be used; ask for fewer');
    expect(await readdir(scratch)).toEqual(before);
  });

  test('when it fails half-way, and leaves nothing behind', async () => {
    await writeTree(root);
    const before = await readdir(scratch);
    const tasks = await listTasks(root);
    let copied = 0;
    const writing = writeSubset({
      ...{ root, out: path.join(scratch, 'out'), tasks, taskNames: 'all' },
      rule: { amount: { kind: 'total', samples: 7 }, seed: 0, stratify: false },
      onProgress: () => {
        copied++;
        if (copied === 5) throw new Error('disk full');
      },
    });
    await expect(writing).rejects.toThrow('disk full');
    expect(await readdir(scratch)).toEqual(before);
  });
});
