import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { draftDataset, writeDraft } from '../milebench/tree-drafts.js';
import { lookm, scratch } from './fake-shell.js';

test('lookm data list shows the embedded datasets with their counts', async () => {
  const { code, stdout, stderr } = await lookm(['data', 'list']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(
    /^dataset +column +metric +question type +samples +images +references +Few +Medium +Many$/m,
  );
  expect(stdout).toMatch(/^PictureNumbers +S-2 +rouge-l +open-ended +30 +137 +138 +24 +6 +0$/m);
  expect(stdout).toMatch(/\n11 datasets, 330 samples, 1377 images\n$/);
});

test('lookm data list --json gives every count by dataset', async () => {
  const root = await scratch();
  await writeDraft(root, draftDataset('GPR1200', { samples: 4, images: (sample) => [2, 6, 33, 5][sample]! }));
  const { code, stdout } = await lookm(['data', 'list', root, '--json']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual([
    {
      ...{ name: 'GPR1200', column: 'IR', metric: 'accuracy', questionType: 'multi-choice' },
      ...{ samples: 4, unusable: 0, images: 46, references: 46 },
      levels: { Few: 2, Medium: 1, Many: 1 },
    },
  ]);
});

test('lookm data list counts images that samples share once, and points to samples that do not fit', async () => {
  const root = await scratch();
  const draft = draftDataset('ALFRED', { metric: 'rouge-l' });
  draft.annotation.data[1]!.task_instance['images_path'] = ['1_0.png'];
  draft.annotation.data[2]!.task_instance['context'] = 5;
  await writeDraft(root, draft);
  const { code, stdout } = await lookm(['data', 'list', root]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^ALFRED +S-4 +rouge-l +open-ended +2 +3 +4 +2 +0 +0 !$/m);
  expect(stdout).toContain('1 more samples do not fit the format: `lookm data verify');
});

test('lookm data list refuses a broken annotation and a missing folder in one line', async () => {
  const root = await scratch();
  await writeDraft(root, draftDataset('TQA'));
  const file = path.join(root, 'TQA/TQA.json');
  await writeFile(file, (await readFile(file, 'utf8')).slice(0, 200));
  expect(await lookm(['data', 'list', root])).toEqual({
    code: 2,
    stdout: '',
    stderr: `error: ${file}: the file ends in the middle of its JSON; unpack or download the dataset again\n`,
  });
  const gone = await lookm(['data', 'list', 'minimal']);
  expect(gone).toMatchObject({ code: 2, stdout: '' });
  expect(gone.stderr).toMatch(/^error: root: no directory "minimal"; .*minimile.*\n$/);
});
