import type { SampleRecord } from '../bench/record.js';
import { groupBy } from '../core/group-by.js';
import { pairwiseMean } from '../core/pairwise-mean.js';
import { compareColumns } from '../milebench/taxonomy.js';
import { cellColumns, cellRows, cellValues, legendOf, type ReportInput } from './cell-rows.js';
import type { Table } from './table.js';

/** Mean over the datasets of a column, each the mean over its samples as MileBench takes it; `null` without samples. */
function columnScore(records: readonly SampleRecord[], column: string): number | null {
  const ofColumn = records.filter((record) => record.column === column);
  if (ofColumn.length === 0) return null;
  const byTask = groupBy(ofColumn, ({ task }) => task);
  return pairwiseMean([...byTask.values()].map((own) => pairwiseMean(own.map(({ score }) => score))));
}

/**
 * Scores in percent: a row for every cell and protocol, a column for every task column that has records, and the mean
 * over these columns.
 */
export function accuracyTable(input: ReportInput): Table {
  const rows = cellRows(input);
  const columns = [...new Set(input.records.map(({ column }) => column))].sort(compareColumns);
  return {
    name: 'accuracy',
    title: 'Score by task column (%)',
    notes: [
      'A column is the mean over its datasets, scored as MileBench does; mean = mean over the columns shown.',
    ],
    legend: legendOf(rows),
    columns: [
      ...cellColumns,
      ...[...columns, 'mean'].map((header) => ({ header, kind: 'number', decimals: 1 }) as const),
    ],
    rows: rows.map((row) => {
      const scores = columns.map((column) => columnScore(row.records, column));
      const measured = scores.filter((score) => score !== null);
      const mean = measured.length === 0 ? null : pairwiseMean(measured);
      const percent = [...scores, mean].map((score) => (score === null ? null : score * 100));
      return { values: [...cellValues(row), ...percent], flagged: false };
    }),
  };
}
