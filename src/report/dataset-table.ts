import type { SampleRecord } from '../bench/record.js';
import { groupBy } from '../core/group-by.js';
import { pairwiseMean } from '../core/pairwise-mean.js';
import { quantityLevels } from '../milebench/quantity-level.js';
import { compareColumns } from '../milebench/taxonomy.js';
import { cellColumns, cellValues } from './cell-rows.js';
import { estimateColumns, estimateValues, points } from './points.js';
import type { Report, ScoredRow } from './report.js';
import type { Table, TableRow, TableValue } from './table.js';

function levelValues(records: readonly SampleRecord[], { scoring }: ScoredRow): TableValue[] {
  return quantityLevels.flatMap((level) => {
    const own = records.filter(({ quantityLevel }) => quantityLevel === level);
    if (own.length === 0) return [null, 0];
    return [points(pairwiseMean(own.map(({ scores }) => scores[scoring].score))), own.length];
  });
}

function datasetRow(row: ScoredRow, task: string, records: readonly SampleRecord[]): TableRow {
  const { column, metric } = records[0]!;
  return {
    values: [
      ...cellValues(row, records.length),
      ...[column, task, metric],
      ...estimateValues(row.scores.strata.get(task)),
      ...levelValues(records, row),
    ],
    flagged: false,
  };
}

/** The datasets of a row in the order of their columns, then by name. */
function datasetRows(row: ScoredRow): TableRow[] {
  return [...groupBy(row.records, ({ task }) => task)]
    .sort(
      ([a, ofA], [b, ofB]) => compareColumns(ofA[0]!.column, ofB[0]!.column) || (a < b ? -1 : a > b ? 1 : 0),
    )
    .map(([task, records]) => datasetRow(row, task, records));
}

/** Scores of every dataset in percent, also by number of images: a row for every cell and dataset. */
export function datasetTable({ rows, legend }: Report): Table {
  return {
    name: 'datasets',
    title: 'Score by dataset (%)',
    filesOnly: true,
    notes: [
      'Low, high = 95 %: Wilson where answers are right or wrong, bootstrap where scores are graded.',
      'Few = up to 5 images, Medium = 6 to 31, Many = 32 and more, with the samples of each.',
    ],
    legend,
    columns: [
      ...cellColumns,
      { header: 'column', kind: 'text' },
      { header: 'dataset', kind: 'text' },
      { header: 'metric', kind: 'text' },
      ...estimateColumns('score'),
      ...quantityLevels.flatMap(
        (level) =>
          [
            { header: level, kind: 'number', decimals: 1 },
            { header: `${level} n`, kind: 'number' },
          ] as const,
      ),
    ],
    rows: rows.flatMap(datasetRows),
  };
}
