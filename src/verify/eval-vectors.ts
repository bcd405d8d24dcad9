import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { messageOf, UserError } from '../core/errors.js';
import { formatPythonJson } from '../core/format-python-json.js';
import { fileExists } from '../core/json-file.js';
import type { PythonValue } from '../core/python-value.js';
import { evaluateDataset } from '../official/evaluate-dataset.js';
import { evaluationFiles, fileIndent } from '../official/evaluation-files.js';
import { pythonValueSchema } from '../official/read-fields.js';
import { evalCalls } from './eval-calls.js';
import { withNaN } from './recorded-numbers.js';
import { callTally, type ModeTally } from './tally.js';
import { readVectorFile } from './vector-file.js';
import { datasetRuns } from './vector-format.js';

/** Files of recorded calls. */
const callFiles = [
  'process',
  'char',
  'match_choice',
  'judge',
  'rouge_l',
  'evaluate_rouge',
  'evaluate_needle',
  'evaluate_multichoice',
  'errors',
  'numeric',
  'score',
] as const;

const rowSchema = z.object({
  fn: z.string(),
  input: pythonValueSchema,
  output: pythonValueSchema.optional(),
  error: z.object({ type: z.string() }).optional(),
});
type EvalRow = z.infer<typeof rowSchema>;

const runSchema = z.object({
  dataset: z.string(),
  annotation: pythonValueSchema,
  predictions: pythonValueSchema,
  eval: pythonValueSchema,
  eval_score: pythonValueSchema,
  pred_with_extracted: pythonValueSchema,
});

/**
 * Runs every recorded call of the official scorer, and whole datasets down to the bytes of the files it writes.
 *
 * @returns one tally for each file of calls, one for all whole datasets; files that are not there are passed over
 * @throws UserError when a file cannot be read
 */
export async function verifyEvalVectors(directory: string): Promise<ModeTally[]> {
  const tallies: ModeTally[] = [];
  for (const name of callFiles) {
    const file = path.join(directory, `${name}.json`);
    if (!(await fileExists(file))) continue;
    const rows = await readVectorFile(file, z.array(rowSchema));
    tallies.push(callTally({ format: 'eval', directory, mode: name }, rows.map(rowProblem)));
  }
  const runs = path.join(directory, datasetRuns);
  const names = (await readdir(runs).catch(() => [])).filter((name) => name.endsWith('.json')).sort();
  const problems: (string | null)[] = [];
  for (const name of names) problems.push(await runProblem(path.join(runs, name)));
  if (names.length > 0) tallies.push(callTally({ format: 'eval', directory, mode: datasetRuns }, problems));
  return tallies;
}

/** What is wrong with each case, `null` where nothing is. */

/** Values are equal when Python's JSON of them is: this tells ints from floats and sees the order of keys. */
function textOf(value: PythonValue): string {
  return formatPythonJson(value, { ascii: true });
}

/** A recorded exception must be an error the user can mend. */
function rowProblem({ fn, input, output, error }: EvalRow, index: number): string | null {
  const name = `row ${index} (${fn})`;
  if (!Object.hasOwn(evalCalls, fn)) return `${name}: there is no such function`;
  const { run, expected } = evalCalls[fn]!;
  let actual: PythonValue;
  try {
    actual = run(input);
  } catch (cause) {
    if (!(cause instanceof UserError)) throw cause;
    return error === undefined ? `${name}: ${messageOf(cause)}` : null;
  }
  if (error !== undefined) return `${name}: should fail as the official code does (${error.type})`;
  if (output === undefined) return `${name}: has neither output nor error`;
  const wanted = textOf(expected(output));
  return textOf(actual) === wanted ? null : `${name}: ${firstDifference(textOf(actual), wanted)}`;
}

/** Characters shown of a text where it differs. */
const shownLength = 60;

function firstDifference(actual: string, wanted: string): string {
  let at = 0;
  while (at < actual.length && actual[at] === wanted[at]) at++;
  const start = Math.max(0, at - shownLength / 2);
  const shown = (text: string) => text.slice(start, start + shownLength);
  return `${shown(actual)} instead of ${shown(wanted)}, from character ${at}`;
}

/** The first file of a whole dataset that differs from what Python would write. */
async function runProblem(file: string): Promise<string | null> {
  const name = path.basename(file);
  const run = await readVectorFile(file, runSchema);
  const indented = { indent: fileIndent, ascii: true };
  const { pred_with_extracted: extracted } = run;
  const wanted = new Map([
    ['eval.json', formatPythonJson(withNaN(run.eval), { ascii: true })],
    ['eval_score.json', formatPythonJson(run.eval_score, indented)],
    ...(extracted === null
      ? []
      : [['pred_with_extracted.json', formatPythonJson(extracted, indented)] as const]),
  ]);
  try {
    const evaluation = evaluateDataset({
      datasetName: run.dataset,
      predictions: run.predictions,
      annotation: run.annotation,
      scoring: 'release',
      partial: false,
      files: { predictions: `${name}, predictions`, annotation: `${name}, annotation` },
    });
    const files = evaluationFiles(evaluation, { scoring: 'release', partial: false });
    if (files.length !== wanted.size) return `${name}: writes ${files.map((one) => one.name).join(', ')}`;
    const different = files.find((one) => one.text !== wanted.get(one.name));
    if (different === undefined) return null;
    const difference = firstDifference(different.text, wanted.get(different.name) ?? '');
    return `${name}: ${different.name} differs: ${difference}`;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return `${name}: ${messageOf(error)}`;
  }
}
