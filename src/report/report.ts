import { isFullCell } from '../bench/plan.js';
import { type Cell, ofRandomWeights, type SampleRecord } from '../bench/record.js';
import type { FirstToken, Scoring } from '../config/protocols.js';
import { groupBy } from '../core/group-by.js';
import { compareColumns } from '../milebench/taxonomy.js';
import { findMetric } from '../scoring/registry.js';
import { type CellRow, cellKey, legendOf } from './cell-rows.js';
import { type Estimates, estimateRows, type Stratum } from './estimates.js';
import { type Pair, type PairedDifference, pairedDifference, pairRecords } from './paired-difference.js';

/** What a report is made of: records and the part of the plan that orders them. */
export interface ReportInput {
  readonly records: readonly SampleRecord[];
  readonly cells: readonly Cell[];
  /** The full cache answers alike under all of them and is shown under each. */
  readonly firstTokens: readonly FirstToken[];
  /** The scores shown, of those a record keeps. */
  readonly scoring: Scoring;
}

/** A row with everything computed of its scores. */
export interface ScoredRow extends CellRow {
  /** By dataset, by task column, and their mean; scores in [0, 1]. */
  readonly scores: Estimates;
  /** By number of images, all datasets pooled. */
  readonly levels: Estimates['strata'];
  /** To the full cache on the same samples; `null` for the full cache and without one. */
  readonly difference: PairedDifference | null;
}

/** The rows of every table, and the task columns that have records. */
export interface Report {
  /** In the order of the cells, the full cache under every protocol shown. */
  readonly rows: readonly ScoredRow[];
  readonly columns: readonly string[];
  /** Scores mean nothing and are not to be shown. */
  readonly randomWeights: boolean;
  /** What the tables have in common. */
  readonly legend: readonly string[];
}

/** One value of a stratum. */
interface Entry extends Omit<Stratum, 'values'> {
  readonly value: number;
}

function kindOf({ metric }: SampleRecord): Stratum['kind'] {
  return findMetric(metric).scale === 'binary' ? 'proportion' : 'amount';
}

function strataOf(entries: readonly Entry[]): Stratum[] {
  return [...groupBy(entries, ({ name }) => name)].map(([name, own]) => ({
    name,
    column: own[0]!.column,
    kind: own.every(({ kind }) => kind === 'proportion') ? 'proportion' : 'amount',
    values: Float64Array.from(own, ({ value }) => value),
  }));
}

/** The scores of records by what they are grouped under. */
function scoreStrata(
  records: readonly SampleRecord[],
  scoring: Scoring,
  groupOf: (record: SampleRecord) => Pick<Entry, 'name' | 'column'>,
): Stratum[] {
  return strataOf(
    records.map((record) => ({
      ...groupOf(record),
      kind: kindOf(record),
      value: record.scores[scoring].score,
    })),
  );
}

const byDataset = ({ task, column }: SampleRecord) => ({ name: task, column });
const byLevel = ({ quantityLevel }: SampleRecord) => ({ name: quantityLevel, column: quantityLevel });

function differenceStrata(pairs: readonly Pair[]): Stratum[] {
  return strataOf(
    pairs.map(({ record: { task, column }, difference }) => ({
      ...{ name: task, column, kind: 'amount' },
      value: difference,
    })),
  );
}

/** An order of their own, so that resamples do not depend on the order of the log. */
function inOrder(records: readonly SampleRecord[]): SampleRecord[] {
  return records.toSorted((a, b) => {
    if (a.task !== b.task) return a.task < b.task ? -1 : 1;
    return a.sampleId < b.sampleId ? -1 : a.sampleId > b.sampleId ? 1 : 0;
  });
}

/** Computes everything that tables say of scores; all rows see the same resamples. */
export function prepareReport({ records, cells, firstTokens, scoring }: ReportInput): Report {
  const byCell = groupBy(records, ({ cell }) => cellKey(cell));
  const own = cells.map((cell) => inOrder(byCell.get(cellKey(cell)) ?? []));
  const full = own[cells.findIndex(isFullCell)];
  const pairs = own.map((records) =>
    full === undefined || records === full ? [] : pairRecords({ records, full, scoring }),
  );
  const estimates = estimateRows([
    ...own.map((records) => scoreStrata(records, scoring, byDataset)),
    ...own.map((records) => scoreStrata(records, scoring, byLevel)),
    ...pairs.map(differenceStrata),
  ]);
  const rows = cells.flatMap((cell, i) => {
    const scored = {
      ...{ cell, scoring, records: own[i]!, scores: estimates[i]! },
      levels: estimates[cells.length + i]!.strata,
      difference:
        full === undefined || isFullCell(cell)
          ? null
          : pairedDifference({
              pairs: pairs[i]!,
              unpaired: own[i]!.length + full.length - 2 * pairs[i]!.length,
              ...estimates[2 * cells.length + i]!,
            }),
    };
    const protocols = isFullCell(cell) ? firstTokens : [cell.firstToken];
    return protocols.map((firstToken) => ({ ...scored, firstToken }));
  });
  const columns = new Set(own.flat().map(({ column }) => column));
  return {
    rows,
    columns: [...columns].sort(compareColumns),
    randomWeights: ofRandomWeights(records),
    legend: legendOf(rows),
  };
}
