import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { messageOf, UserError } from '../core/errors.js';
import { nearMatches } from '../core/near-matches.js';
import { readPythonJsonFile } from '../core/python-json-file.js';
import { readAnnotation, type Sample, type SampleFailure } from './annotation.js';
import { type ColumnsFile, columnsFileName, parseColumnsFile } from './columns-file.js';
import { openImageCheck, type SampleImageCheck } from './image-check.js';
import { missingFolder } from './image-folder.js';
import type { TaskInstructions } from './task-instructions.js';
import { compareColumns, type DatasetDefinition, officialDatasets, officialMetric } from './taxonomy.js';

const jsonFix = 'correct or download it again';

/** A dataset found in a root, not yet read. */
export interface TaskInfo {
  readonly name: string;
  readonly column: string;
  /** Name of a metric in scoring's registry; a columns file can ask for any, so look it up before running. */
  readonly metric: string;
  readonly definedBy: 'taxonomy' | 'columns file';
  /** `<root>/<name>/<name>.json` */
  readonly annotationFile: string;
  /** `<root>/<name>/images` */
  readonly imageDir: string;
}

/** A dataset as read: samples whose annotation fits, and those that cannot be run. */
export interface Task {
  readonly info: TaskInfo;
  readonly taskInstructions: TaskInstructions;
  readonly samples: readonly Sample[];
  readonly failures: readonly SampleFailure[];
  /** Looks at the images of one sample on the disk; to be asked when the sample's turn comes. */
  readonly checkImages: SampleImageCheck;
}

/**
 * The datasets of a root, `<root>/<Dataset>/<Dataset>.json`, by column from left to right. Their columns and metrics
 * come from the taxonomy and from `<root>/columns.json`, which wins. Definitions without a folder are passed over.
 * Throws a `UserError` for a root that cannot be read or holds no dataset, a broken columns file, a dataset defined
 * nowhere, and a known dataset whose folder lacks its annotation.
 */
export async function listTasks(root: string): Promise<TaskInfo[]> {
  const defined = await readColumnsFile(root);
  const known: Readonly<Record<string, DatasetDefinition>> = { ...officialDatasets, ...defined };
  const order = Object.keys(known);
  const tasks: TaskInfo[] = [];
  for (const name of await foldersOf(root)) {
    const annotationFile = path.join(root, name, `${name}.json`);
    const annotated = await isFile(annotationFile);
    const definition = Object.hasOwn(known, name) ? known[name] : undefined;
    if (definition === undefined) {
      if (annotated) throw unknownDataset({ name, root, order });
      continue;
    }
    if (!annotated) {
      const fix = 'download the dataset again or remove its folder';
      throw new UserError({ what: 'the annotation is missing', where: annotationFile, fix });
    }
    tasks.push({
      name,
      column: definition.column,
      metric: definition.metric,
      definedBy: Object.hasOwn(defined, name) ? 'columns file' : 'taxonomy',
      annotationFile,
      imageDir: path.join(root, name, 'images'),
    });
  }
  if (tasks.length === 0) {
    const fix = 'give a folder that holds <Dataset>/<Dataset>.json';
    throw new UserError({ what: 'there is no dataset in this folder', where: root, fix });
  }
  return tasks.sort(
    (a, b) => compareColumns(a.column, b.column) || order.indexOf(a.name) - order.indexOf(b.name),
  );
}

/**
 * Reads the annotation of a dataset and checks every sample's fields; of the images only that their folder is there.
 * What is wrong with one sample becomes a failure and leaves the others alone.
 * Throws a `UserError` when the file as a whole cannot be used: it is too large, no JSON, not an annotation, its
 * question type contradicts the taxonomy's metric, or the folder of images is missing.
 */
export async function loadTask(info: TaskInfo): Promise<Task> {
  const json = await readPythonJsonFile(info.annotationFile, jsonFix);
  const annotation = readAnnotation(json, info.annotationFile);
  checkQuestionType(info, annotation.questionType);
  await requireImageFolder(info, annotation.samples);
  const samples: Sample[] = [];
  const failures: SampleFailure[] = [...annotation.failures];
  for (const sample of annotation.samples) {
    const error = choiceProblem(info, sample);
    if (error === null) samples.push(sample);
    else failures.push({ sampleId: sample.sampleId, error });
  }
  const { taskInstructions } = annotation;
  return { info, taskInstructions, samples, failures, checkImages: openImageCheck(info) };
}

function choiceProblem({ metric, annotationFile }: TaskInfo, sample: Sample): UserError | null {
  if (metric !== 'accuracy' || sample.choices !== null) return null;
  return new UserError({
    what: 'the metric accuracy needs choices',
    where: `${annotationFile}, sample ${sample.sampleId}, field task_instance.choice_list`,
    fix: 'list the choices, one of them the response',
  });
}

/** Told once and before anything runs, instead of once a sample. A tree of combined pictures can do without it. */
async function requireImageFolder({ imageDir }: TaskInfo, samples: readonly Sample[]): Promise<void> {
  const needed = samples.some(
    ({ imageNames, combinedImageNames }) => imageNames.length > 0 && combinedImageNames.size === 0,
  );
  if (needed && !(await isFolder(imageDir))) throw missingFolder(imageDir);
}

/** The official scorer goes by the annotation; the taxonomy must not promise another metric. */
function checkQuestionType({ name, metric, definedBy, annotationFile }: TaskInfo, type: string | null): void {
  if (definedBy !== 'taxonomy' || type === null) return;
  const dispatched = officialMetric({ dataset: name, questionType: type });
  if (dispatched === metric) return;
  throw new UserError({
    what: `the question type ${JSON.stringify(type)} is not scored by ${metric}, the metric of ${name}`,
    where: `${annotationFile}, field meta_data.question_type`,
    fix: `define column and metric of ${name} in ${columnsFileName} beside the datasets`,
  });
}

function unknownDataset(known: {
  readonly name: string;
  readonly root: string;
  readonly order: readonly string[];
}): UserError {
  const near = nearMatches(known.name, known.order);
  const hint = near.length === 0 ? '' : ` or rename it (${near.join(', ')}?)`;
  return new UserError({
    what: `the dataset ${JSON.stringify(known.name)} is none of MileBench's`,
    where: path.join(known.root, known.name),
    fix: `define its column and metric in ${path.join(known.root, columnsFileName)}${hint}`,
  });
}

async function readColumnsFile(root: string): Promise<ColumnsFile> {
  const file = path.join(root, columnsFileName);
  return (await isFile(file)) ? parseColumnsFile(await readPythonJsonFile(file, jsonFix), file) : {};
}

async function foldersOf(root: string): Promise<string[]> {
  const names = await readdir(root).catch((cause: unknown) => {
    const what = `the folder of datasets cannot be read (${messageOf(cause)})`;
    throw new UserError({ what, where: root, fix: 'give the folder that holds the datasets' }, { cause });
  });
  const folders: string[] = [];
  for (const name of names) if (await isFolder(path.join(root, name))) folders.push(name);
  return folders;
}

async function isFolder(folder: string): Promise<boolean> {
  const found = await stat(folder).catch(() => null);
  return found?.isDirectory() ?? false;
}

async function isFile(file: string): Promise<boolean> {
  const found = await stat(file).catch(() => null);
  return found?.isFile() ?? false;
}
