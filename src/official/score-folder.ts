import path from 'node:path';
import type { Scoring } from '../config/protocols.js';
import { UserError } from '../core/errors.js';
import { formatPythonJson } from '../core/format-python-json.js';
import { fileExists } from '../core/json-file.js';
import { readPythonJsonFile } from '../core/python-json-file.js';
import type { PythonDict, PythonValue } from '../core/python-value.js';
import { writeAtomically } from '../core/write-atomically.js';
import { collectedDatasets, collectResults, readSummary, resultRows } from './collect-results.js';
import { type EarlierScore, earlierScore, type ScoredDataset, scoredDataset } from './dataset-scores.js';
import { evaluateDataset } from './evaluate-dataset.js';
import { evaluationFiles, fileIndent, variantName } from './evaluation-files.js';
import { pandasCsv } from './pandas-csv.js';
import { type ModelFolder, predictionsName, type ResultFolder, summaryName } from './result-folder.js';

export interface ScoreRequest {
  readonly folder: ResultFolder;
  /** Holds `<Dataset>/<Dataset>.json`. */
  readonly dataRoot: string;
  /** Names of datasets; `null` = every one that has predictions. */
  readonly tasks: readonly string[] | null;
  /** Read `<Dataset>-adv.json`. */
  readonly adversarial: boolean;
  readonly partial: boolean;
  readonly scoring: Scoring;
  readonly onDataset: (done: number, total: number, dataset: string) => void;
}

/** A dataset that could not be scored: the others are. */
export interface DatasetFailure {
  readonly dataset: string;
  readonly error: UserError;
}

export interface ModelScores {
  readonly model: string;
  /** By dataset, by name. */
  readonly scores: ReadonlyMap<string, ScoredDataset | EarlierScore>;
  readonly failures: readonly DatasetFailure[];
}

export interface FolderScores {
  readonly models: readonly ModelScores[];
  /** What was written, in order. */
  readonly files: readonly string[];
}

/** What is known of one model while its datasets are scored. */
interface ModelWork {
  readonly folder: ModelFolder;
  readonly scores: Map<string, ScoredDataset | EarlierScore>;
  readonly summaries: Map<string, PythonDict>;
  readonly failures: DatasetFailure[];
}

/** An annotation, or why there is none: every model with predictions of it fails alike. */
interface ReadAnnotation {
  readonly file: string;
  readonly content: PythonValue | UserError;
}

async function readAnnotation(file: string): Promise<ReadAnnotation> {
  try {
    return { file, content: await readPythonJsonFile(file, 'give the root of the datasets with --dataset') };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { file, content: error };
  }
}

/** Scores one dataset of one model, and writes its files. */
async function scoreDataset(
  { folder, scores, summaries }: ModelWork,
  dataset: string,
  annotation: ReadAnnotation,
  { scoring, partial }: ScoreRequest,
): Promise<string[]> {
  const { file, content } = annotation;
  if (content instanceof UserError) throw content;
  const predictionsFile = path.join(folder.directory, dataset, predictionsName);
  const predictions = await readPythonJsonFile(predictionsFile, 'write it again');
  const evaluation = evaluateDataset({
    datasetName: dataset,
    predictions,
    annotation: content,
    scoring,
    partial,
    files: { predictions: predictionsFile, annotation: file },
  });
  const written: string[] = [];
  for (const { name, text } of evaluationFiles(evaluation, { scoring, partial })) {
    const target = path.join(folder.directory, dataset, name);
    await writeAtomically(target, text);
    written.push(target);
  }
  scores.set(dataset, scoredDataset(evaluation));
  summaries.set(dataset, evaluation.summary);
  return written;
}

/** Keeps what the user can mend as a failure of the dataset. */
async function failSoftly(work: ModelWork, dataset: string, step: () => Promise<void>): Promise<void> {
  try {
    await step();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    work.failures.push({ dataset, error });
  }
}

/** `score.py` also takes the `eval.json` of datasets that were scored before; of those that fail now it is out of date. */
async function addEarlierScores(work: ModelWork, variant: ScoreRequest): Promise<void> {
  const { folder, summaries, scores, failures } = work;
  const failed = new Set(failures.map(({ dataset }) => dataset));
  for (const dataset of Object.values(collectedDatasets).flat()) {
    const file = path.join(folder.directory, dataset, variantName(summaryName, variant));
    if (summaries.has(dataset) || failed.has(dataset) || !(await fileExists(file))) continue;
    await failSoftly(work, dataset, async () => {
      const summary = readSummary(await readPythonJsonFile(file, 'score the dataset again'), file);
      summaries.set(dataset, summary);
      const score = earlierScore(summary);
      if (score !== null) scores.set(dataset, score);
    });
  }
}

/** Writes `result.json` and `result.csv` as `score.py` does. */
async function writeResults(works: readonly ModelWork[], request: ScoreRequest): Promise<string[]> {
  const models = new Map(works.map(({ folder, summaries }) => [folder.model, summaries]));
  const json = formatPythonJson(collectResults(models), { indent: fileIndent, ascii: false });
  const files = [
    { name: 'result.json', text: json },
    { name: 'result.csv', text: pandasCsv(resultRows(models)) },
  ];
  const written: string[] = [];
  for (const { name, text } of files) {
    const target = path.join(request.folder.directory, variantName(name, request));
    await writeAtomically(target, text);
    written.push(target);
  }
  return written;
}

/**
 * Does for a folder of predictions what MileBench's `evaluate.py` (for every dataset) and then `score.py` do, and
 * writes their files. One annotation at a time is in memory.
 * What is wrong with one dataset becomes a failure of the model; system errors of writing are thrown.
 */
export async function scoreFolder(request: ScoreRequest): Promise<FolderScores> {
  const { folder, dataRoot, tasks, adversarial } = request;
  const works: ModelWork[] = folder.models.map((model) => ({
    folder: model,
    scores: new Map(),
    summaries: new Map(),
    failures: [],
  }));
  const files: string[] = [];
  const jobs = datasetJobs(works, tasks);
  let done = 0;
  for (const { dataset, works: own } of jobs) {
    request.onDataset(done++, jobs.length, dataset);
    const name = adversarial ? `${dataset}-adv.json` : `${dataset}.json`;
    const annotation = await readAnnotation(path.join(dataRoot, dataset, name));
    for (const work of own) {
      await failSoftly(work, dataset, async () => {
        files.push(...(await scoreDataset(work, dataset, annotation, request)));
      });
    }
  }
  request.onDataset(done, jobs.length, '');
  for (const work of works) await addEarlierScores(work, request);
  if (works.some(({ summaries }) => summaries.size > 0)) files.push(...(await writeResults(works, request)));
  const models = works.map(({ folder: { model }, scores, failures }) => ({ model, scores, failures }));
  return { models, files };
}

/** The datasets to score, each with the models that have predictions of it. */
function datasetJobs(works: readonly ModelWork[], tasks: readonly string[] | null) {
  const predicted = [...new Set(works.flatMap(({ folder }) => folder.predicted))].sort();
  return predicted
    .filter((dataset) => tasks === null || tasks.includes(dataset))
    .map((dataset) => ({
      dataset,
      works: works.filter(({ folder }) => folder.predicted.includes(dataset)),
    }));
}
