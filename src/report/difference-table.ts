import { isFullCell } from '../bench/plan.js';
import { cellColumns, cellValues } from './cell-rows.js';
import type { Estimate } from './estimates.js';
import { estimateColumns, estimateValues, points } from './points.js';
import type { Report, ScoredRow } from './report.js';
import type { Table, TableColumn, TableRow, TableValue } from './table.js';

/** Rows that are compared with the full cache, with the pairs each comparison rests on. */
export function comparedRows({ rows }: Report): ScoredRow[] {
  return rows.filter(({ cell }) => !isFullCell(cell));
}

/** What keeps a comparison from covering all samples. */
export function pairNotes({ rows }: Report): string[] {
  if (!rows.some(({ cell }) => isFullCell(cell))) {
    return ['The full cache is not among the methods (add full): there is nothing to compare with.'];
  }
  if (rows.every(({ difference }) => (difference?.unpaired ?? 0) === 0)) return [];
  return [
    'n counts the pairs: some samples are answered by the row or by the full cache only and are left out.',
  ];
}

/** A bound nearer to 0 than this is 0: sums of graded scores round. */
const zeroTolerance = 1e-12;

function excludesZero(estimate: Estimate | null | undefined): boolean {
  const interval = estimate?.interval;
  return interval ? interval.low > zeroTolerance || interval.high < -zeroTolerance : false;
}

const pointColumn = { kind: 'number', decimals: 1, signed: true } as const satisfies Partial<TableColumn>;

function differenceRow(row: ScoredRow, columns: readonly string[]): TableRow {
  const { difference } = row;
  const mean = difference?.mean;
  const values: TableValue[] = [
    ...cellValues(row, mean?.n ?? 0),
    ...columns.map((column) => points(difference?.columns.get(column)?.value)),
    ...estimateValues(mean),
    mean?.better ?? null,
    mean?.worse ?? null,
  ];
  return { values, flagged: excludesZero(mean) };
}

/** Scores less those of the full cache on the same samples, a row for every compressed cell. */
export function differenceTable(report: Report): Table {
  return {
    name: 'differences',
    title: 'Difference to the full cache (points)',
    notes: [
      'Score less that of the full cache on the same samples; mean low, mean high = paired 95 % interval of the mean; marked where it leaves out 0.',
      'Better, worse = samples scored above and below the full cache. pairs.csv has intervals and p by column.',
      ...pairNotes(report),
    ],
    legend: report.legend,
    columns: [
      ...cellColumns,
      ...report.columns.map((header) => ({ ...pointColumn, header })),
      ...estimateColumns('mean').map((column) => ({ ...pointColumn, ...column })),
      { header: 'better', kind: 'number' },
      { header: 'worse', kind: 'number' },
    ],
    rows: comparedRows(report).map((row) => differenceRow(row, report.columns)),
  };
}
