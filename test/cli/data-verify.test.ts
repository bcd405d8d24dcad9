import { rm, truncate } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { draftDataset, writeDraft } from '../milebench/tree-drafts.js';
import { lookm, scratch } from './fake-shell.js';

/** A tree with two errors and a warning in the second sample of its only dataset. */
async function brokenTree(): Promise<string> {
  const root = await scratch();
  const draft = draftDataset('TQA');
  const second = draft.annotation.data[1]!;
  second['response'] = 'four birds';
  second['image_quantity_level'] = 'Many';
  await writeDraft(root, draft);
  await truncate(path.join(root, 'TQA/images/2_0.png'), 60);
  return root;
}

/** A tree with one warning. */
async function doubtfulTree(): Promise<string> {
  const root = await scratch();
  const draft = draftDataset('TQA');
  draft.annotation.data[1]!['image_quantity_level'] = 'Many';
  await writeDraft(root, draft);
  return root;
}

test('lookm data verify of the embedded datasets finds nothing', async () => {
  const { code, stdout, stderr } = await lookm(['data', 'verify', 'minimile', '--no-images', '--strict']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Check of minimile\n/);
  expect(stdout).toMatch(/\nimages were looked for and not decoded\n/);
  expect(stdout).toMatch(/\n11 datasets, 330 samples, 1377 images: 0 errors, 0 warnings\n$/);
  expect(stderr).toMatch(/\n1377\/1377 images, ImageRetrievalMini\n$/);
});

test('lookm data verify prints a line for each problem, then the table, and exits with 1', async () => {
  const { code, stdout } = await lookm(['data', 'verify', await brokenTree(), '--quiet']);
  expect(code).toBe(1);
  const sample = 'TQA/TQA.json, sample 2';
  const lines = stdout.split('\n');
  expect(lines.slice(0, 2)).toEqual([
    `error: ${sample}, field response: the text "four birds" is none of the 3 choices; write the text of one entry of choice_list`,
    `warning: ${sample}, field image_quantity_level: is "Many", but 3 images are "Few"; correct it; scores go by the number of images`,
  ]);
  expect(lines[2]).toMatch(
    /^error: TQA\/TQA\.json, sample 2, field task_instance\.images_path\.0: the image "2_0\.png": cannot decode .*; replace the file$/,
  );
  expect(stdout).toMatch(/^TQA +S-1 +3 +9 +9 +0 +2 +1 !$/m);
  expect(stdout).toMatch(/\n1 dataset, 3 samples, 9 images: 2 errors, 1 warning\n$/);
});

test('lookm data verify --json prints one object with every problem', async () => {
  const { code, stdout, stderr } = await lookm(['data', 'verify', await brokenTree(), '--json']);
  expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
  const report = JSON.parse(stdout);
  expect(report).toMatchObject({ ok: false, errors: 2, warnings: 1, unlisted: 0 });
  expect(report.datasets).toMatchObject([{ name: 'TQA', samples: 3, images: 9, errors: 2, warnings: 1 }]);
  expect(report.problems[0]).toEqual({
    ...{ kind: 'response-no-choice', severity: 'error', dataset: 'TQA', file: 'TQA/TQA.json' },
    ...{ sampleId: '2', field: 'response' },
    what: 'the text "four birds" is none of the 3 choices',
    fix: 'write the text of one entry of choice_list',
  });
});

test('lookm data verify lets warnings pass unless strict', async () => {
  const root = await doubtfulTree();
  expect(await lookm(['data', 'verify', root])).toMatchObject({ code: 0 });
  expect(await lookm(['data', 'verify', root, '--strict'])).toMatchObject({ code: 1 });
  const json = await lookm(['data', 'verify', root, '--json', '--strict']);
  expect(json.code).toBe(1);
  expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, errors: 0, warnings: 1 });
});

test('lookm data verify --no-images finds missing images and leaves damaged ones', async () => {
  const root = await brokenTree();
  await rm(path.join(root, 'TQA/images/1_1.jpg'));
  const { code, stdout } = await lookm(['data', 'verify', root, '--no-images', '--quiet']);
  expect(code).toBe(1);
  expect(stdout).toContain(
    'error: TQA/TQA.json, sample 1, field task_instance.images_path.1: the image "1_1.jpg" does not exist',
  );
  expect(stdout).not.toContain('cannot decode');
});

test('lookm data verify of an empty folder is a problem, of a missing one a refusal', async () => {
  const empty = await lookm(['data', 'verify', await scratch()]);
  expect(empty.code).toBe(1);
  expect(empty.stdout).toMatch(/^error: \.: there is no dataset in this folder; /);
  const missing = await lookm(['data', 'verify', 'no/such/folder']);
  expect(missing).toMatchObject({ code: 2, stdout: '' });
  expect(missing.stderr).toMatch(/^error: root: no directory "no\/such\/folder"; .*\n$/);
});
