import { mkdir, mkdtemp, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { readImage } from '../../src/backbone/decode-image.js';
import { checkTree, type TreeReport, type TreeRules } from '../../src/milebench/check/check-tree.js';
import { listTasks, loadTask } from '../../src/milebench/dataset.js';
import type { TreeProblem } from '../../src/milebench/problem-kinds.js';
import { normaliseAnswer } from '../../src/scoring/normalise-answer.js';
import {
  type DraftDataset,
  type DraftSample,
  draftDataset,
  jpeg,
  png,
  writeColumns,
  writeDraft,
} from './tree-drafts.js';

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

/** Where a dataset lies on the disk. */
interface Place {
  readonly root: string;
  readonly folder: string;
  readonly annotation: string;
  readonly images: string;
}

/** A way to break a healthy dataset of the samples 1, 2 and 3, and everything that must be said about it. */
interface Fault {
  /** An official name where the definition matters; else the test chooses one and puts it in columns.json. */
  readonly dataset?: string;
  readonly metric?: DraftDataset['metric'];
  readonly edit?: (annotation: DraftDataset['annotation'], second: DraftSample) => void;
  readonly disk?: (place: Place) => Promise<unknown>;
  /** Lines, with `@` for the dataset's name and `@json` for its annotation, `@json#2` for sample 2 of it. */
  readonly lines: readonly string[];
}

const inSecond = (change: (second: DraftSample) => void): Pick<Fault, 'edit'> => ({
  edit: (_, second) => change(second),
});
const instance = (changes: Readonly<Record<string, unknown>>): Pick<Fault, 'edit'> =>
  inSecond((second) => Object.assign(second.task_instance, changes));
const field = (name: string, value: unknown): Pick<Fault, 'edit'> =>
  inSecond((second) => {
    second[name] = value;
  });
const metadata = (name: string, value: unknown): Pick<Fault, 'edit'> => ({
  edit: ({ meta_data }) => {
    meta_data[name] = value;
  },
});
const onAnnotation = (change: (text: string) => string | Buffer): Pick<Fault, 'disk'> => ({
  disk: async ({ annotation }) => writeFile(annotation, change(await readFile(annotation, 'utf8'))),
});
const secondImage = (change: (image: string, place: Place) => Promise<unknown>): Pick<Fault, 'disk'> => ({
  disk: (place) => change(path.join(place.images, '2_1.jpg'), place),
});
const choices = 'task_instance.choice_list';
const paths = 'task_instance.images_path';
const context = 'task_instance.context';

/** The start of a PNG that promises 100,000 x 100,000 pixels. */
const hugePng = Buffer.from(png);
hugePng.writeUInt32BE(100_000, 16);
hugePng.writeUInt32BE(100_000, 20);

const faults: Readonly<Record<string, Fault>> = {
  'annotation missing': {
    disk: ({ annotation }) => rm(annotation),
    lines: ['error annotation-missing: @json: the annotation is missing'],
  },
  'annotation is a folder': {
    disk: async ({ annotation }) => {
      await rm(annotation);
      await mkdir(annotation);
    },
    lines: ['error annotation-missing: @json: the annotation is not a file'],
  },
  'annotation empty': {
    ...onAnnotation(() => ''),
    lines: ['error annotation-json: @json: the file is empty'],
  },
  'annotation cut off': {
    ...onAnnotation((text) => text.slice(0, text.length / 2)),
    lines: ['error annotation-json: @json: the file ends in the middle of its JSON'],
  },
  'annotation not JSON': {
    ...onAnnotation((text) => text.replace('"data":', 'data:')),
    lines: ['error annotation-json: @json: the file is not JSON (…)'],
  },
  'annotation with a byte order mark': {
    ...onAnnotation((text) => `\uFEFF${text}`),
    lines: ['error annotation-encoding: @json: the file is UTF-8 with a byte order mark'],
  },
  'annotation in UTF-16': {
    ...onAnnotation((text) => Buffer.from(`\uFEFF${text}`, 'utf16le')),
    lines: ['error annotation-encoding: @json: the file is UTF-16'],
  },
  'annotation in Latin-1': {
    ...onAnnotation((text) => Buffer.from(text.replace('Look.', 'Schön.'), 'latin1')),
    lines: ['error annotation-encoding: @json: the file is not UTF-8'],
  },
  'annotation too large': {
    disk: ({ annotation }) => truncate(annotation, 2 ** 28 + 1),
    lines: [
      'error annotation-size: @json: the file has 268435457 bytes, more than the 268435456 that are read',
    ],
  },
  'annotation is a list': {
    ...onAnnotation((text) => `[${text}]`),
    lines: ['error annotation-shape: @json: expected an object, found a list of length 1'],
  },
  'no meta_data': {
    edit: (annotation) => Reflect.deleteProperty(annotation, 'meta_data'),
    lines: ['error annotation-shape: @json, field meta_data: is missing'],
  },
  'instructions are a number': {
    ...metadata('task_instruction', 5),
    lines: [
      'error task-instruction: @json, field meta_data.task_instruction: expected a list or an object of texts, found the number 5',
    ],
  },
  'no instruction in the list': {
    ...metadata('task_instruction', []),
    lines: ['error task-instruction: @json, field meta_data.task_instruction: there is no instruction'],
  },
  'no question type': {
    ...metadata('question_type', undefined),
    lines: ['error question-type: @json, field meta_data.question_type: is missing'],
  },
  'question type unknown': {
    ...metadata('question_type', 'multiple-choice'),
    lines: [
      'error question-type: @json, field meta_data.question_type: the official scorer does not know the text "multiple-choice"',
    ],
  },
  "question type contradicts MileBench's metric": {
    dataset: 'ALFRED',
    metric: 'rouge-l',
    ...metadata('question_type', 'multi-choice'),
    lines: [
      `error metric-contradicted: @json, field meta_data.question_type: the text "multi-choice" is scored by accuracy, and the dataset's metric is rouge-l`,
    ],
  },
  'question type contradicts the columns file': {
    ...metadata('question_type', 'open-ended'),
    lines: [
      `warning metric-differs: @json, field meta_data.question_type: the text "open-ended" is scored by rouge-l, and the dataset's metric is accuracy`,
    ],
  },
  'data is an object': {
    edit: (annotation) => Object.assign(annotation, { data: {} }),
    lines: [
      'error annotation-shape: @json, field data: expected a list of at most 1000000 samples, found an object',
    ],
  },
  'no sample': {
    edit: (annotation) => Object.assign(annotation, { data: [] }),
    lines: [
      'error annotation-shape: @json, field data: there is no sample in the list',
      'error sample-count: @json, field meta_data.num_sample: is the number 3, but data has 0 samples',
    ],
  },
  'count differs': {
    ...metadata('num_sample', '4'),
    lines: ['error sample-count: @json, field meta_data.num_sample: is the text "4", but data has 3 samples'],
  },
  'no count': {
    ...metadata('num_sample', undefined),
    lines: [
      'warning sample-count-missing: @json, field meta_data.num_sample: is missing, and data has 3 samples',
    ],
  },
  'annotation of another dataset': {
    ...metadata('dataset', 'TQA'),
    lines: [
      'warning dataset-name: @json, field meta_data.dataset: names the text "TQA", but the folder is "@"',
    ],
  },

  'sample is a text': {
    edit: ({ data }) => data.splice(1, 1, 'sample' as unknown as DraftSample),
    lines: ['error sample-shape: @json, sample #1: expected an object, found the text "sample"'],
  },
  'no sample_id': {
    ...field('sample_id', undefined),
    lines: ['error sample-id: @json, sample #1, field sample_id: is missing'],
  },
  'sample_id null': {
    ...field('sample_id', null),
    lines: ['error sample-id: @json, sample #1, field sample_id: expected an integer or a text, found null'],
  },
  'sample_id empty': {
    ...field('sample_id', ''),
    lines: [
      'error sample-id: @json, sample #1, field sample_id: expected an integer or a text, found an empty text',
    ],
  },
  'sample_id is a float': {
    ...onAnnotation((text) => text.replace('"sample_id": 2', '"sample_id": 2.0')),
    lines: [
      'error sample-id: @json, sample #1, field sample_id: expected an integer or a text, found the number 2.0',
    ],
  },
  'sample_id no integer': {
    ...field('sample_id', 'b2'),
    lines: [
      'error sample-id: @json, sample b2, field sample_id: the official scorer cannot read the text "b2" as an integer',
    ],
  },
  'sample_id twice': {
    ...field('sample_id', 1),
    lines: [
      'error sample-id-duplicate: @json, sample 1, field sample_id: the id is used by an earlier sample',
    ],
  },
  'sample_id twice, as number and text': {
    ...field('sample_id', '1'),
    lines: [
      'error sample-id-duplicate: @json, sample 1, field sample_id: the id is used by an earlier sample',
    ],
  },
  'sample_id twice as an integer': {
    ...field('sample_id', ' 01'),
    lines: [
      'error sample-id-duplicate: @json, sample  01, field sample_id: the id is used by an earlier sample ("1" is the same integer)',
    ],
  },
  'no instruction id': {
    ...field('task_instruction_id', undefined),
    lines: ['error instruction-id: @json#2, field task_instruction_id: is missing'],
  },
  'instruction id out of range': {
    ...field('task_instruction_id', 2),
    lines: ['error instruction-id: @json#2, field task_instruction_id: there is no task instruction 2'],
  },
  'instruction id a text for a list': {
    ...field('task_instruction_id', '0'),
    lines: ['error instruction-id: @json#2, field task_instruction_id: there is no task instruction "0"'],
  },
  'no task_instance': {
    ...field('task_instance', undefined),
    lines: ['error sample-shape: @json#2, field task_instance: is missing'],
  },
  'no context': {
    ...instance({ context: undefined }),
    lines: [`error context: @json#2, field ${context}: is missing`],
  },
  'context is a list': {
    ...instance({ context: ['text'] }),
    lines: [`error context: @json#2, field ${context}: expected a text, found a list of length 1`],
  },
  'no images_path': {
    ...instance({ images_path: undefined }),
    lines: [`error images-path: @json#2, field ${paths}: is missing`],
  },
  'images_path is a text': {
    ...instance({ images_path: '2_0.png' }),
    lines: [
      `error images-path: @json#2, field ${paths}: expected a list of at most 4096 entries, found the text "2_0.png"`,
    ],
  },
  'image names are numbers': {
    ...instance({ images_path: [20, '2_1.jpg', 22.5] }),
    lines: [
      `error images-path: @json#2, field ${paths}.0: expected a name, found the number 20`,
      `error images-path: @json#2, field ${paths}.2: expected a name, found the number 22.5`,
    ],
  },
  'an image name is empty': {
    ...instance({ images_path: ['2_0.png', '', '2_2.png'] }),
    lines: [`error images-path: @json#2, field ${paths}.1: expected a name, found an empty text`],
  },
  'no images': {
    ...inSecond((second) => {
      second.task_instance['images_path'] = [];
      second.task_instance['context'] = 'How many?';
    }),
    lines: [
      `error images-path: @json#2, field ${paths}: there is no image, and the official pipeline divides by their number`,
    ],
  },
  'too many images': {
    ...instance({ images_path: Array.from({ length: 4097 }, () => '2_0.png') }),
    lines: [
      `error images-path: @json#2, field ${paths}: expected a list of at most 4096 entries, found a list of length 4097`,
    ],
  },
  'no choices': {
    ...instance({ choice_list: undefined }),
    lines: [`error choice-list: @json#2, field ${choices}: is missing`],
  },
  'choices null in an open question': {
    metric: 'rouge-l',
    ...instance({ choice_list: null }),
    lines: [
      `error choice-list: @json#2, field ${choices}: expected a list of at most 4096 entries, found null`,
    ],
  },
  'choice list empty': {
    ...instance({ choice_list: [] }),
    lines: [`error choice-list: @json#2, field ${choices}: there is no choice in the list`],
  },
  'a choice is a number': {
    ...instance({ choice_list: [2.5, 'two birds'] }),
    lines: [
      `error choice-list: @json#2, field ${choices}.0: expected a text, found the number 2.5, at which the official scorer stops`,
    ],
  },
  'choices equal once normalised': {
    ...instance({ choice_list: ['two birds', 'one', 'Two birds.'] }),
    lines: [`warning choices-equal: @json#2, field ${choices}.2: is choice 0 again once normalised`],
  },
  'choices past Z': {
    ...instance({ choice_list: ['two birds', ...Array.from({ length: 26 }, (_, i) => `${i}`)] }),
    lines: [
      `warning choices-past-z: @json#2, field ${choices}: there are 27 choices, and those past 26 are lettered [, \\, ] …`,
    ],
  },
  'no response': {
    ...field('response', undefined),
    lines: ['error response: @json#2, field response: is missing'],
  },
  'response is no choice': {
    ...field('response', 'four birds'),
    lines: [
      'error response-no-choice: @json#2, field response: the text "four birds" is none of the 3 choices',
    ],
  },
  'response null': {
    metric: 'rouge-l',
    ...field('response', null),
    lines: ['error response: @json#2, field response: is null'],
  },
  'response without words': {
    metric: 'rouge-l',
    ...field('response', ' ... '),
    lines: [
      'error response: @json#2, field response: nothing is left of the text " ... " once it is normalised for scoring',
    ],
  },
  'needle of two words': {
    dataset: 'TextNeedleInAHaystack',
    metric: 'needle',
    ...field('response', '57 3'),
    lines: [
      'warning response-unmatchable: @json#2, field response: the text "57 3" is more than one word, and a needle is compared word by word',
    ],
  },
  'no image level': {
    ...field('image_quantity_level', undefined),
    lines: [
      'error quantity-level: @json#2, field image_quantity_level: is missing, and the official scorer requires it',
    ],
  },
  'image level differs': {
    ...field('image_quantity_level', 'Many'),
    lines: [
      'warning quantity-level-differs: @json#2, field image_quantity_level: is "Many", but 3 images are "Few"',
    ],
  },
  'image level unknown': {
    ...field('image_quantity_level', 3),
    lines: ['warning quantity-level-differs: @json#2, field image_quantity_level: the number 3 is no level'],
  },
  'references beyond the images': {
    ...instance({ context: '{image#1} {image#2} {image#3} {image#4} {table#03} Why?' }),
    lines: [
      `warning reference-beyond: @json#2, field ${context}: refers to {image#4}, {table#03}, but the sample has 3 images`,
    ],
  },
  'fewer references than images': {
    ...instance({ context: '{image#1} {table#2} Why?' }),
    lines: [
      `warning places-differ: @json#2, field ${context}: has 2 places for 3 images; the official pipeline puts one more in front and drops the other images`,
    ],
  },
  'more references than images': {
    ...instance({ context: '{image#1} {image#2} {image#3} Why {image#1}?' }),
    lines: [
      `warning places-differ: @json#2, field ${context}: has 4 places for 3 images; the first of them stay without image`,
    ],
  },
  'references in another order': {
    ...instance({ context: '{image#1} {image#3} {image#2} Why?' }),
    lines: [
      `warning places-order: @json#2, field ${context}: place 2 names image 3, but images attach in the order of images_path`,
    ],
  },
  'combined images are a text': {
    ...instance({ combined_1_images: '2-0.jpg' }),
    lines: [
      'error combined-images: @json#2, field task_instance.combined_1_images: expected a list of at most 4096 entries, found the text "2-0.jpg"',
    ],
  },
  'combined images are too few': {
    ...instance({ combined_2_images: ['2-0.jpg'] }),
    disk: async ({ folder }) => {
      await mkdir(path.join(folder, 'combined_2_images'));
      await writeFile(path.join(folder, 'combined_2_images/2-0.jpg'), jpeg);
    },
    lines: [
      'error combined-images: @json#2, field task_instance.combined_2_images: names 1 pictures, but 3 images are combined into 2',
    ],
  },
  'a combined picture is missing': {
    ...instance({ combined_1_images: ['2-0.jpg'] }),
    disk: ({ folder }) => mkdir(path.join(folder, 'combined_1_images')),
    lines: [
      'error image-unavailable: @json#2, field task_instance.combined_1_images.0: the image "2-0.jpg" does not exist',
    ],
  },
  'the folder of combined pictures is missing': {
    ...instance({ combined_1_images: ['2-0.jpg'] }),
    lines: ['error image-folder: @/combined_1_images: the folder of images is missing'],
  },

  'image missing': {
    ...secondImage((image) => rm(image)),
    lines: [`error image-unavailable: @json#2, field ${paths}.1: the image "2_1.jpg" does not exist`],
  },
  'image is a folder': {
    ...secondImage(async (image) => {
      await rm(image);
      await mkdir(image);
    }),
    lines: [`error image-unavailable: @json#2, field ${paths}.1: the image "2_1.jpg" is not a file`],
  },
  'image empty': {
    ...secondImage((image) => truncate(image, 0)),
    lines: [`error image-damaged: @json#2, field ${paths}.1: the image "2_1.jpg" is an empty file`],
  },
  'JPEG cut off': {
    ...secondImage((image) => truncate(image, jpeg.length - 40)),
    lines: [
      `error image-damaged: @json#2, field ${paths}.1: the image "2_1.jpg": cannot decode the image (…)`,
    ],
  },
  'PNG cut off': {
    ...secondImage((image) => writeFile(image, png.subarray(0, png.length - 20))),
    lines: [
      `error image-damaged: @json#2, field ${paths}.1: the image "2_1.jpg": cannot decode the image (…)`,
    ],
  },
  'image is a web page': {
    ...secondImage((image) => writeFile(image, '<html>404</html>')),
    lines: [
      `error image-damaged: @json#2, field ${paths}.1: the image "2_1.jpg": not an image of a readable format (…)`,
    ],
  },
  'image too large': {
    ...secondImage((image) => writeFile(image, hugePng)),
    lines: [
      `error image-damaged: @json#2, field ${paths}.1: the image "2_1.jpg": image of 100000 x 100000 pixels is beyond the limits (…)`,
    ],
  },
  'image by an absolute path': {
    ...instance({ images_path: ['2_0.png', '/etc/hostname', '2_2.png'] }),
    lines: [
      `error image-unavailable: @json#2, field ${paths}.1: the image "/etc/hostname" is not a path inside the folder of images`,
    ],
  },
  'image by a path through ..': {
    ...instance({ images_path: ['2_0.png', '../../columns.json', '2_2.png'] }),
    lines: [
      `error image-unavailable: @json#2, field ${paths}.1: the image "../../columns.json" is not a path inside the folder of images`,
    ],
  },
  'image links out of the root': {
    ...secondImage(async (image, { root }) => {
      await rename(image, path.join(root, '../outside.jpg'));
      await symlink(path.join(root, '../outside.jpg'), image);
    }),
    lines: [
      `error image-unavailable: @json#2, field ${paths}.1: the image "2_1.jpg" leads out of the folder of images`,
    ],
  },
  'image links to nothing': {
    ...secondImage(async (image) => {
      await rm(image);
      await symlink('nothing.jpg', image);
    }),
    lines: [`error image-unavailable: @json#2, field ${paths}.1: the image "2_1.jpg" does not exist`],
  },
  'folder of images missing': {
    disk: ({ images }) => rm(images, { recursive: true }),
    lines: ['error image-folder: @/images: the folder of images is missing'],
  },
  'folder of images is a file': {
    disk: async ({ images }) => {
      await rm(images, { recursive: true });
      await writeFile(images, '');
    },
    lines: ['error image-folder: @/images: the folder of images cannot be read (…)'],
  },
  'folder of images links out of the root': {
    disk: async ({ root, images }) => {
      await rename(images, path.join(root, '../images-outside'));
      await symlink(path.join(root, '../images-outside'), images);
    },
    lines: ['warning link-outside: @/images: is a link out of the root'],
  },
  'dataset unknown': {
    dataset: 'ActionLocalisation',
    lines: [
      `error dataset-unknown: @: the dataset "ActionLocalisation" is none of MileBench's (ActionLocalization?)`,
    ],
  },
  'annotation under another name': {
    dataset: 'My-Pictures',
    disk: ({ annotation, folder }) => rename(annotation, path.join(folder, 'annotation.json')),
    lines: [
      'warning folder-unknown: @: the folder is none of the known datasets and holds no My-Pictures.json',
    ],
  },
};

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
