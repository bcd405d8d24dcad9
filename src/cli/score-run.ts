import path from 'node:path';
import { ofRandomWeights } from '../bench/record.js';
import { rescoreRun } from '../bench/rescore-run.js';
import type { Scoring } from '../config/protocols.js';
import { reportTables } from '../report/report-tables.js';
import { writeTables } from '../report/write-tables.js';
import { describeTables, tableFiles } from './describe-run.js';
import type { Shell } from './shell.js';

/**
 * Scores the records of a run directory again and writes its tables anew. `scoring` null shows the scores that the run
 * asked for.
 *
 * @param shown the directory as the user named it
 * @throws UserError when the directory is damaged or held by another process
 */
export async function scoreRun(
  shown: string,
  {
    scoring,
    json,
    shell,
  }: { readonly scoring: Scoring | null; readonly json: boolean; readonly shell: Shell },
): Promise<void> {
  const directory = path.resolve(shell.cwd, shown);
  const run = await rescoreRun(directory);
  const used = scoring ?? run.scoring;
  const tables = reportTables({ ...run, scoring: used });
  const files = await writeTables(directory, tables);
  const { stdout } = shell;
  if (json) {
    const summary = {
      directory: shown,
      scoring: used,
      records: run.records.length,
      randomWeights: ofRandomWeights(run.records),
      changed: run.changed,
      files,
    };
    stdout.write(`${JSON.stringify(summary, null, 2)}\n`);
    return;
  }
  const changed = run.changed === 0 ? 'no score has changed' : `${run.changed} have other scores than before`;
  stdout.write(
    `${describeTables(tables, stdout)}\nScored: ${run.records.length} records, ${changed}.\n${tableFiles(tables, shown)}\n`,
  );
}
