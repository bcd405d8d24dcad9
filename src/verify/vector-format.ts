import { officialDatasets } from '../milebench/taxonomy.js';
import { promptVectorFiles } from './prompt-vectors.js';
import type { VectorFormat } from './tally.js';

/** Folder of whole-dataset runs inside a directory of evaluation vectors. */
export const datasetRuns = 'datasets';

/** Names only the evaluation vectors use. */
const evaluationFile = /^(?:process|match_choice|judge|rouge_l|evaluate_\w+)\.json$/;

/** Names of theirs that other programs use as well. */
const commonFile = /^(?:char|numeric|score|errors)\.json$/;

/** A whole-dataset run, `datasets/<Dataset>.json`. */
const runFile = new RegExp(`^${datasetRuns}/(.+)\\.json$`);

function isDatasetRun(name: string): boolean {
  const dataset = runFile.exec(name)?.[1];
  return dataset !== undefined && Object.hasOwn(officialDatasets, dataset);
}

/**
 * The formats of the vectors in a directory. Told by names, so that a damaged description fails instead of being passed
 * over; names that others use too count only where nothing else lies beside them.
 *
 * @param names of its files and folders, and of the files in its folder `datasets` as `datasets/<name>`
 */
export function vectorFormats(names: readonly string[]): VectorFormat[] {
  const has = (name: string): boolean => names.includes(name);
  const formats: VectorFormat[] = [];
  const isCheckpoint = has('config.json');
  if (isCheckpoint && has('golden.json')) formats.push('backbones');
  if (has('index.json') && names.some((name) => name.endsWith('.safetensors'))) formats.push('kv');
  // A checkpoint can hold a prompt.json, of its template.
  if (!isCheckpoint && Object.values(promptVectorFiles).some(has)) formats.push('prompt');
  const isVector = (name: string): boolean => evaluationFile.test(name) || commonFile.test(name);
  const json = names.filter((name) => name.endsWith('.json') && !name.includes('/'));
  const isEvaluation =
    json.some((name) => evaluationFile.test(name)) ||
    (json.length > 0 && json.every(isVector)) ||
    names.some(isDatasetRun);
  if (isEvaluation) formats.push('eval');
  return formats;
}
