import path from 'node:path';
import { parseBudget } from '../config/budget.js';
import type { FirstToken, Scoring } from '../config/protocols.js';
import type { Budget } from '../core/budget.js';
import { canonicalJson } from '../core/content-hash.js';
import { lockDirectory } from '../core/directory-lock.js';
import { UserError } from '../core/errors.js';
import { planCells } from './plan.js';
import { type Cell, type SampleRecord, sampleLog } from './record.js';
import { readRecordLog, rewriteRecordLog } from './record-log.js';
import { manifestName, readManifest } from './run-directory.js';
import type { RunManifest } from './run-manifest.js';
import { scoreRecord } from './score-record.js';

/** Everything a run directory holds, ready for tables. */
export interface RescoredRun {
  /** One a sample and cell, in the order of the log. */
  readonly records: readonly SampleRecord[];
  /** Cells of the run's settings first, then those of earlier commands. */
  readonly cells: readonly Cell[];
  readonly firstTokens: readonly FirstToken[];
  /** The scores the run file asks tables to show. */
  readonly scoring: Scoring;
  /** Records whose scores differ from what was on the disk. */
  readonly changed: number;
}

/**
 * Scores every record of a run directory again, under both semantics, from its answer, reference and choices. Nothing
 * is inferred. The log is replaced as a whole when a score has changed.
 * Throws a `UserError` when the directory is no run, is damaged, or is held by another process.
 */
export async function rescoreRun(directory: string): Promise<RescoredRun> {
  const manifest = await readManifest(path.join(directory, manifestName));
  if (manifest === null) {
    const fix = 'give the --out of a lookm bench command';
    throw new UserError({ what: `holds no ${manifestName}`, where: directory, fix });
  }
  if (manifest.identity.latency !== null) {
    const fix = 'give the --out of an accuracy run';
    throw new UserError({ what: 'holds a latency run, which has no scores', where: directory, fix });
  }
  const release = await lockDirectory(directory);
  try {
    const before = [...(await readRecordLog(directory, sampleLog)).records.values()];
    const records = before.map(rescored);
    const changed = records.filter((record, index) => record !== before[index]).length;
    if (changed > 0) await rewriteRecordLog(directory, sampleLog, records);
    const current = newestRecords(records);
    const { scoring, firstTokens } = manifest.config;
    return { records: current, cells: cellsOf(manifest, current), firstTokens, scoring, changed };
  } finally {
    await release();
  }
}

/** The record itself when its scores stand. */
function rescored(record: SampleRecord): SampleRecord {
  const { metric, task: datasetName, answer, response, choices } = record;
  const scores = scoreRecord({ metric, datasetName, answer, response, choices });
  return canonicalJson(scores) === canonicalJson(record.scores) ? record : { ...record, scores };
}

/** An image or a method that has changed between commands leaves older records of the same sample and cell behind. */
function newestRecords(records: readonly SampleRecord[]): SampleRecord[] {
  const newest = new Map<string, SampleRecord>();
  for (const record of records) {
    newest.set(canonicalJson([record.task, record.sampleId, record.cell]), record);
  }
  return [...newest.values()];
}

function cellsOf({ config }: RunManifest, records: readonly SampleRecord[]): Cell[] {
  const budgets = config.budgets.flatMap((text): Budget[] => {
    const parsed = parseBudget(text);
    return 'budget' in parsed ? [parsed.budget] : [];
  });
  const recorded = new Map(records.map(({ cell }) => [canonicalJson(cell), cell]));
  const planned = planCells({ ...config, budgets }).map(canonicalJson);
  const names = new Set([...planned.filter((name) => recorded.has(name)), ...recorded.keys()]);
  return [...names].map((name) => recorded.get(name)!);
}
