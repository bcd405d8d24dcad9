import { mkdir, rename, rm, symlink, truncate } from 'node:fs/promises';
import path from 'node:path';
import { type Faults, metadata, onAnnotation } from './tree-fault.js';

/** Faults of an annotation as a whole, and of its place. */
export const annotationFaults: Faults = {
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

  'dataset links out of the root': {
    disk: async ({ root, folder }) => {
      await rename(folder, path.join(root, '../dataset-outside'));
      await symlink(path.join(root, '../dataset-outside'), folder);
    },
    lines: ['error link-outside: @: is a link out of the root'],
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
