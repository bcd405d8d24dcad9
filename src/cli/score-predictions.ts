import path from 'node:path';
import type { Scoring } from '../config/protocols.js';
import { UserError } from '../core/errors.js';
import { fileExists, readJsonFile } from '../core/json-file.js';
import { nearMatches } from '../core/near-matches.js';
import { columnsFileName, columnsFileSchema } from '../milebench/columns-file.js';
import type { DefinedColumns } from '../official/column-means.js';
import { chooseModels, type ResultFolder } from '../official/result-folder.js';
import { scoreFolder } from '../official/score-folder.js';
import { renderConsole } from '../report/render-console.js';
import { type ScoreReport, scoreSummary, scoreTables } from './describe-scores.js';
import { exitCodes } from './program.js';
import { openProgress } from './progress.js';
import { resolveDataset } from './resolve-asset.js';
import type { Shell } from './shell.js';

export interface PredictionOptions {
  readonly dataset: string;
  readonly models?: readonly string[];
  readonly tasks?: readonly string[];
  readonly adv?: boolean;
  readonly partial?: boolean;
  readonly scoring?: Scoring;
  readonly json?: boolean;
}

async function readDefinedColumns(dataRoot: string): Promise<DefinedColumns> {
  const file = path.join(dataRoot, columnsFileName);
  return (await fileExists(file)) ? readJsonFile(file, columnsFileSchema, 'correct the file') : {};
}

function checkTasks({ directory, models }: ResultFolder, tasks: readonly string[]): void {
  const known = [...new Set(models.flatMap(({ predicted }) => predicted))];
  for (const task of tasks) {
    if (known.includes(task)) continue;
    const near = nearMatches(task, known);
    throw new UserError({
      what: `there are no predictions of a dataset ${JSON.stringify(task)}`,
      where: directory,
      fix: `name ${(near.length > 0 ? near : known).join(' or ')}`,
    });
  }
}

function print(report: ScoreReport, { stdout, stderr }: Shell): void {
  for (const table of scoreTables(report)) stdout.write(`${renderConsole(table, stdout)}\n`);
  for (const { model, failures } of report.scores.models) {
    for (const { dataset, error } of failures) {
      stderr.write(`${stderr.paint.red(`not scored: ${model}, ${dataset}: ${error.message}`)}\n`);
    }
  }
  const { files } = report.scores;
  stdout.write(`${files.length} files written${files.length === 0 ? '' : `, the last ${files.at(-1)}`}\n`);
}

/**
 * Scores folders of predictions and writes the official files. Exit code 2 when a dataset could not be scored.
 * Throws a `UserError` for names of models and datasets that are not there.
 */
export async function scorePredictions(
  found: ResultFolder,
  options: PredictionOptions,
  shell: Shell,
): Promise<void> {
  const { scoring = 'release', adv = false, partial = false, json = false, tasks = null } = options;
  const folder = options.models === undefined ? found : chooseModels(found, options.models);
  if (tasks !== null) checkTasks(folder, tasks);
  const dataRoot = await resolveDataset(options.dataset, { where: '--dataset', shell });
  const defined = await readDefinedColumns(dataRoot);
  const progress = openProgress(shell, { unit: 'datasets', quiet: json });
  const scores = await scoreFolder({
    folder,
    dataRoot,
    tasks,
    adversarial: adv,
    partial,
    scoring,
    onDataset: (done, total, label) => progress.update(done, total, label),
  }).finally(() => progress.stop());
  const report: ScoreReport = { scores, scoring, defined };
  if (json) shell.stdout.write(`${JSON.stringify(scoreSummary(report), null, 2)}\n`);
  else print(report, shell);
  if (scores.models.some(({ failures }) => failures.length > 0)) shell.setExitCode(exitCodes.user);
}
