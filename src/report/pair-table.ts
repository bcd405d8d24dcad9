import { cellColumns, cellValues } from './cell-rows.js';
import { comparedRows, pairNotes } from './difference-table.js';
import type { Estimate } from './estimates.js';
import type { Discordance } from './paired-difference.js';
import { estimateColumns, estimateValues } from './points.js';
import type { Report, ScoredRow } from './report.js';
import type { Table, TableRow } from './table.js';

function pairRow(
  row: ScoredRow,
  column: string,
  found: (Estimate & Discordance) | null | undefined,
): TableRow {
  const counts = found ? [found.better, found.worse, found.p] : [null, null, null];
  return {
    values: [...cellValues(row, found?.n ?? 0), column, ...estimateValues(found), ...counts],
    flagged: false,
  };
}

/** The comparison with the full cache column by column: a row for every compressed cell and task column. */
export function pairTable(report: Report): Table {
  return {
    name: 'pairs',
    title: 'Comparison with the full cache by task column (points)',
    filesOnly: true,
    notes: [
      'n = pairs of answers to one sample; low, high = paired bootstrap within datasets, 95 %.',
      'p = exact McNemar test (two-sided) on the pairs of which one is right and one is wrong, not adjusted for the number of rows; none where scores are graded.',
      ...pairNotes(report),
    ],
    legend: report.legend,
    columns: [
      ...cellColumns,
      { header: 'column', kind: 'text' },
      ...estimateColumns('difference').map((column) => ({ ...column, signed: true })),
      { header: 'better', kind: 'number' },
      { header: 'worse', kind: 'number' },
      { header: 'p', kind: 'number', digits: 3 },
    ],
    rows: comparedRows(report).flatMap((row) => [
      ...report.columns.map((column) => pairRow(row, column, row.difference?.columns.get(column))),
      pairRow(row, 'mean', row.difference?.mean),
    ]),
  };
}
