import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { readImage } from '../../src/backbone/decode-image.js';
import { checkTree, type TreeReport, type TreeRules } from '../../src/milebench/check/check-tree.js';
import { listTasks, loadTask } from '../../src/milebench/dataset.js';
import type { TreeProblem } from '../../src/milebench/problem-kinds.js';
import { normaliseAnswer } from '../../src/scoring/normalise-answer.js';
import { annotationFaults } from './annotation-faults.js';
import { imageFaults } from './image-faults.js';
import { sampleFaults } from './sample-faults.js';
import { draftDataset, writeColumns, writeDraft } from './tree-drafts.js';
import type { Faults } from './tree-fault.js';

const rules: TreeRules = {
  normaliseAnswer,
  metrics: ['accuracy', 'rouge-l', 'needle'],
  readImage,
  concurrency: 2,
};

async function newFolder(): Promise<string> {
  return mkdtemp(path.join(tmpdir(), 'lookm-tree-'));
}

/** What a fault says of itself, without its remedy. */
function lineOf({ severity, kind, file, sampleId, field, what }: TreeProblem): string {
  const sample = sampleId === null ? '' : `, sample ${sampleId}`;
  return `${severity} ${kind}: ${file}${sample}${field === null ? '' : `, field ${field}`}: ${what}`;
}

const faults: Faults = { ...annotationFaults, ...sampleFaults, ...imageFaults };

/** Names that columns.json does not define. */
const undefinedNames = ['ALFRED', 'TextNeedleInAHaystack', 'ActionLocalisation', 'My-Pictures'];

function nameOf(fault: string): string {
  return faults[fault]?.dataset ?? fault.replace(/[^\w.-]+/g, '-');
}

describe('a tree with every kind of fault', () => {
  let scratch = '';
  let report: TreeReport;

  beforeAll(async () => {
    scratch = await newFolder();
    const root = path.join(scratch, 'tree');
    await mkdir(root);
    const drafts = Object.entries(faults).map(([name, { metric = 'accuracy', edit }]) => {
      const draft = draftDataset(nameOf(name), { metric });
      edit?.(draft.annotation, draft.annotation.data[1]!);
      return draft;
    });
    drafts.push(draftDataset('Healthy'));
    for (const draft of drafts) await writeDraft(root, draft);
    for (const [name, { disk }] of Object.entries(faults)) {
      const folder = path.join(root, nameOf(name));
      const annotation = path.join(folder, `${nameOf(name)}.json`);
      await disk?.({ root, folder, annotation, images: path.join(folder, 'images') });
    }
    await mkdir(path.join(root, '.hidden'));
    await writeColumns(
      root,
      drafts.filter(({ name }) => !undefinedNames.includes(name)),
      {
        Absent: { column: 'T-1', metric: 'accuracy' },
        Healthy: { column: 'T-1', metric: 'acuracy' },
        Broken: { column: 5 },
        '../out': { column: 'T-1', metric: 'accuracy' },
      },
    );
    report = await checkTree(root, rules);
  });
  afterAll(() => rm(scratch, { recursive: true }));

  test('covers far more than thirty kinds', () => {
    expect(Object.keys(faults).length).toBeGreaterThanOrEqual(75);
  });

  test.each(Object.keys(faults))('%s: is named with file, sample and field, and nothing else is', (name) => {
    const dataset = nameOf(name);
    const found = report.problems.filter((problem) => problem.dataset === dataset);
    const expected = faults[name]!.lines.map((line) =>
      line
        .replace('@json#2', `${dataset}/${dataset}.json, sample 2`)
        .replace('@json', `${dataset}/${dataset}.json`)
        .replaceAll('@', dataset),
    );
    // What libraries say in brackets may change with their versions.
    const lines = found.map((problem, i) =>
      expected[i]?.endsWith('(…)') ? lineOf(problem).replace(/\(.*\)$/, '(…)') : lineOf(problem),
    );
    expect(lines).toEqual(expected);
    for (const { fix } of found) expect(fix).not.toBe('');
  });

  test('the columns file: every fault is named', () => {
    const found = report.problems.filter(({ dataset }) => dataset === null);
    expect(found.map(lineOf)).toEqual([
      'error metric-unknown: columns.json, field Healthy.metric: there is no metric "acuracy" (accuracy?)',
      'error columns-file: columns.json, field Broken.column: expected a name, found the number 5',
      'error columns-file: columns.json, field Broken.metric: is missing',
      'error columns-file: columns.json, field ../out: the name must be a folder name of letters, digits, . _ -',
      'warning dataset-absent: columns.json, field Absent: there is no folder of that name',
      'warning dataset-absent: columns.json, field Broken: there is no folder of that name',
    ]);
  });

  test('a dataset without a fault has none reported', () => {
    expect(report.datasets.find(({ name }) => name === 'Healthy')).toEqual({
      ...{ name: 'Healthy', column: 'T-1', samples: 3, images: 9, references: 9, unusedImages: 0 },
      ...{ errors: 0, warnings: 0 },
    });
  });

  test('the counts add up', () => {
    const errors = report.problems.filter(({ severity }) => severity === 'error').length;
    expect(report).toMatchObject({ errors, warnings: report.problems.length - errors, unlisted: 0 });
    expect(report.datasets).toHaveLength(Object.keys(faults).length);
  });
});

/** A folder that goes when the test is over. */
async function newRoot(): Promise<string> {
  const root = await newFolder();
  onTestFinished(() => rm(root, { recursive: true }));
  return root;
}

describe('a root', () => {
  test('without datasets is a fault', async () => {
    const { problems, errors } = await checkTree(await newRoot(), rules);
    expect(errors).toBe(1);
    expect(problems.map(lineOf)).toEqual(['error no-datasets: .: there is no dataset in this folder']);
  });

  test('that is missing is refused', async () => {
    await expect(checkTree(path.join(await newRoot(), 'gone'), rules)).rejects.toThrow(/cannot be read/);
  });

  test.each([
    ['[]', 'error columns-file: columns.json: expected an object, found a list of length 0'],
    ['{"A": ', 'error columns-file: columns.json: the file ends in the middle of its JSON'],
  ])('with the columns file %s is told so, and its datasets are not called unknown', async (text, line) => {
    const root = await newRoot();
    await writeDraft(root, draftDataset('Mine'));
    await writeFile(path.join(root, 'columns.json'), text);
    const { problems, datasets } = await checkTree(root, rules);
    expect(problems.map(lineOf)).toEqual([line]);
    expect(datasets).toMatchObject([{ name: 'Mine', column: null, samples: 3 }]);
  });
});

describe('images', () => {
  test('are decoded once each, and none when only looked for', async () => {
    const root = await newRoot();
    const draft = draftDataset('ALFRED', { metric: 'rouge-l' });
    for (const sample of draft.annotation.data)
      sample.task_instance['images_path'] = ['1_0.png', '1_1.jpg', '1_0.png'];
    await writeDraft(root, draft);
    const decoded: string[] = [];
    const counting = {
      ...rules,
      readImage: async (file: string) => decoded.push(path.relative(root, file)),
    };
    const { datasets } = await checkTree(root, counting);
    expect(decoded.sort()).toEqual(['ALFRED/images/1_0.png', 'ALFRED/images/1_1.jpg']);
    expect(datasets).toMatchObject([{ images: 2, references: 9, unusedImages: 7, errors: 0, warnings: 0 }]);
    await writeFile(path.join(root, 'ALFRED/images/1_0.png'), 'no image');
    expect(await checkTree(root, { ...rules, readImage: null })).toMatchObject({ errors: 0 });
    expect(await checkTree(root, rules)).toMatchObject({ errors: 6 });
  });

  test('are reported as progress up to their number', async () => {
    const root = await newRoot();
    await writeDraft(root, draftDataset('ALFRED', { metric: 'rouge-l' }));
    await writeDraft(root, draftDataset('TQA'));
    await rm(path.join(root, 'TQA/images'), { recursive: true });
    const seen: string[] = [];
    await checkTree(root, {
      ...rules,
      onProgress: ({ done, of, dataset }) => seen.push(`${done}/${of} ${dataset}`),
    });
    expect(seen).toHaveLength(18);
    expect(seen.at(0)).toBe('1/18 TQA');
    expect(seen.at(-1)).toBe('18/18 ALFRED');
  });
});

test('what has no error is loaded without a failure', async () => {
  const root = await newRoot();
  await writeDraft(root, draftDataset('ALFRED', { metric: 'rouge-l' }));
  await writeDraft(root, draftDataset('GPR1200', { images: (sample) => 5 * sample + 1 }));
  expect(await checkTree(root, rules)).toMatchObject({ errors: 0, warnings: 0, problems: [] });
  const tasks = await Promise.all((await listTasks(root)).map(loadTask));
  expect(tasks.flatMap(({ failures }) => failures)).toEqual([]);
  expect(tasks.flatMap(({ samples }) => samples)).toHaveLength(6);
});
