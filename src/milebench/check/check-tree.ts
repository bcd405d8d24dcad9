import { readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { messageOf, UserError } from '../../core/errors.js';
import { nearMatches } from '../../core/near-matches.js';
import { readAnnotationSource } from '../annotation-source.js';
import { columnsFileName } from '../columns-file.js';
import type { TreeProblem } from '../problem-kinds.js';
import { compareColumns } from '../taxonomy.js';
import { checkAnnotation, type MetricSource } from './check-annotation.js';
import type { NormaliseAnswer } from './check-choices.js';
import { checkColumnsFile, type KnownDatasets } from './check-columns-file.js';
import { checkImages, countImages, type ReadImage } from './check-images.js';
import type { ImageReference } from './check-sample.js';
import { type ProblemCounts, ProblemList } from './problem-list.js';

/** One dataset of a checked tree. */
export interface DatasetReport extends ProblemCounts {
  readonly name: string;
  /** `null` for a dataset that is defined nowhere. */
  readonly column: string | null;
  readonly samples: number;
  /** Distinct images that samples name, combined ones included. */
  readonly images: number;
  /** How often samples name an image. */
  readonly references: number;
  /** Files in the folder of images that no sample names. */
  readonly unusedImages: number;
}

/** Everything that is wrong with a tree. */
export interface TreeReport extends ProblemCounts {
  /** By column from left to right. */
  readonly datasets: readonly DatasetReport[];
  readonly problems: readonly TreeProblem[];
  /** Faults that are counted but not in `problems`, which is bounded. */
  readonly unlisted: number;
}

/** What a tree is judged by. */
export interface TreeRules {
  readonly normaliseAnswer: NormaliseAnswer;
  /** Names of the metrics a columns file may ask for. */
  readonly metrics: readonly string[];
  /** Decodes an image as a run does; `null` looks for the files only. */
  readonly readImage: ReadImage | null;
  /** Images decoded at a time. */
  readonly concurrency: number;
  readonly onProgress?: (images: {
    readonly done: number;
    readonly of: number;
    readonly dataset: string;
  }) => void;
}

interface FoundDataset {
  readonly name: string;
  readonly column: string | null;
  readonly samples: number;
  readonly references: readonly ImageReference[];
}

/**
 * Looks for every fault in a folder of datasets and goes on after each. Annotations are read one at a time, images a
 * few at a time and each file once.
 * Throws a `UserError` when the folder itself cannot be read.
 */
export async function checkTree(root: string, rules: TreeRules): Promise<TreeReport> {
  const problems = new ProblemList();
  const folders = await foldersOf(root);
  const known = await checkColumnsFile({ root, metrics: rules.metrics, problems });
  for (const name of known.inColumnsFile) {
    if (folders.includes(name)) continue;
    const report = problems.of({ dataset: null, file: columnsFileName });
    report({ kind: 'dataset-absent', field: name, what: 'there is no folder of that name' });
  }
  const found: FoundDataset[] = [];
  for (const name of folders) {
    const dataset = await checkDataset(name, { root, known, problems, rules });
    if (dataset !== null) found.push(dataset);
  }
  if (found.length === 0) {
    const report = problems.of({ dataset: null, file: '.' });
    report({ kind: 'no-datasets', what: 'there is no dataset in this folder' });
  }
  const { order } = known;
  found.sort(
    (a, b) => compareColumns(a.column ?? '', b.column ?? '') || order.indexOf(a.name) - order.indexOf(b.name),
  );
  const datasets = await checkAllImages(found, { root, problems, rules });
  return summarise(datasets, problems);
}

function summarise(datasets: readonly DatasetReport[], list: ProblemList): TreeReport {
  const place = new Map(datasets.map(({ name }, index) => [name, index]));
  const placeOf = ({ dataset }: TreeProblem): number =>
    dataset === null ? -1 : (place.get(dataset) ?? datasets.length);
  const problems = [...list.problems].sort((a, b) => placeOf(a) - placeOf(b));
  return { datasets, problems, unlisted: list.unlisted, ...list.total() };
}

/** Every folder but hidden ones, by name so that the report is the same everywhere. */
async function foldersOf(root: string): Promise<string[]> {
  const names = await readdir(root).catch((cause: unknown) => {
    const what = `the folder of datasets cannot be read (${messageOf(cause)})`;
    throw new UserError({ what, where: root, fix: 'give the folder that holds the datasets' }, { cause });
  });
  const folders: string[] = [];
  for (const name of names.sort()) {
    if (name.startsWith('.')) continue;
    const entry = await stat(path.join(root, name)).catch(() => null);
    if (entry?.isDirectory()) folders.push(name);
  }
  return folders;
}

/** `null` for a folder that is no dataset. */
async function checkDataset(
  name: string,
  {
    root,
    known,
    problems,
    rules,
  }: {
    readonly root: string;
    readonly known: KnownDatasets;
    readonly problems: ProblemList;
    readonly rules: TreeRules;
  },
): Promise<FoundDataset | null> {
  const file = `${name}/${name}.json`;
  const annotationFile = path.join(root, name, `${name}.json`);
  const isKnown = known.order.includes(name);
  const near = nearMatches(name, known.order);
  const hint = near.length === 0 ? '' : ` (${near.join(' or ')}?)`;
  if (!isKnown && (await stat(annotationFile).catch(() => null)) === null) {
    const what = `the folder is none of the known datasets and holds no ${name}.json${hint}`;
    problems.of({ dataset: name, file: name })({ kind: 'folder-unknown', what });
    return null;
  }
  const report = problems.of({ dataset: name, file });
  if (!isKnown && known.isComplete) {
    const what = `the dataset ${JSON.stringify(name)} is none of MileBench's${hint}`;
    problems.of({ dataset: name, file: name })({ kind: 'dataset-unknown', what });
  }
  await checkLinks(name, { root, problems });
  const definition = known.definitions.get(name);
  const column = definition?.column ?? null;
  const annotation = await readAnnotationSource(annotationFile);
  if (!annotation.ok) {
    report(annotation);
    return { name, column, samples: 0, references: [] };
  }
  const { normaliseAnswer, metrics } = rules;
  // What an unknown metric would make of the samples cannot be told; the question type says what they are meant for.
  const source: MetricSource =
    definition === undefined || !metrics.includes(definition.metric) ? null : definition;
  const { samples, images } = checkAnnotation(annotation.json, {
    ...{ dataset: name, source, normaliseAnswer, report },
  });
  return { name, column, samples, references: images };
}

/** A dataset or annotation that is a link out of the root: it is read, but the tree is not whole without it. */
async function checkLinks(
  name: string,
  { root, problems }: { readonly root: string; readonly problems: ProblemList },
): Promise<void> {
  const realRoot = await realpath(root);
  for (const part of [name, `${name}/${name}.json`]) {
    const real = await realpath(path.join(root, part)).catch(() => null);
    if (real === null || real.startsWith(realRoot + path.sep)) continue;
    problems.of({ dataset: name, file: part })({ kind: 'link-outside', what: 'is a link out of the root' });
    return;
  }
}

async function checkAllImages(
  found: readonly FoundDataset[],
  { root, problems, rules }: { root: string; problems: ProblemList; rules: TreeRules },
): Promise<DatasetReport[]> {
  const { readImage, concurrency, onProgress } = rules;
  const of = found.reduce((sum, { references }) => sum + countImages(references), 0);
  let done = 0;
  const reports: DatasetReport[] = [];
  for (const { name, column, samples, references } of found) {
    const onImage = (): void => onProgress?.({ done: ++done, of, dataset: name });
    const { images, unused } = await checkImages(references, {
      dataset: name,
      directory: path.join(root, name),
      problems,
      checking: { readImage, concurrency, onImage },
    });
    reports.push({
      ...{ name, column, samples, images, references: references.length, unusedImages: unused },
      ...problems.counts(name),
    });
  }
  return reports;
}
