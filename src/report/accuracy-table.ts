import { officialColumnSize } from '../milebench/taxonomy.js';
import { effectiveColumn, meanPercent, samplesOver } from './cache-size.js';
import { cellColumns, cellValues } from './cell-rows.js';
import { estimateColumns, estimateValues, points } from './points.js';
import { remarkNotes } from './remark-notes.js';
import type { Report, ScoredRow } from './report.js';
import type { Table, TableValue } from './table.js';

const budgetPlace = cellColumns.findIndex(({ header }) => header === 'budget');

/** The columns of a cell, or their values, with what goes beside the nominal budget. */
function besideBudget<Item>(items: readonly Item[], item: Item): Item[] {
  return items.toSpliced(budgetPlace + 1, 0, item);
}

function halfWidth({ scores: { mean } }: ScoredRow): TableValue {
  const interval = mean?.interval;
  return points(interval ? (interval.high - interval.low) / 2 : undefined);
}

/** Says how many answers the official scripts could not have scored; a row shown twice counts once. */
function abortNotes(rows: readonly ScoredRow[]): string[] {
  const records = new Set(rows.flatMap((row) => row.records));
  const scoring = rows[0]?.scoring;
  if (scoring === undefined) return [];
  const aborts = [...records].filter(({ scores }) => scores[scoring].aborts !== undefined).length;
  if (aborts === 0) return [];
  const [answers, stop, count] =
    aborts === 1 ? ['1 answer', 'stops', 'counts'] : [`${aborts} answers`, 'stop', 'count'];
  return [`${answers} ${stop} the official scorer and ${count} 0 here (aborts in the records says why).`];
}

/** Columns that are not the paper's, because datasets of theirs were not run. */
function partialColumnNotes(rows: readonly ScoredRow[], columns: readonly string[]): string[] {
  const records = rows.flatMap((row) => row.records);
  const partial = columns.flatMap((column) => {
    const tasks = [...new Set(records.filter((one) => one.column === column).map(({ task }) => task))];
    const of = officialColumnSize(column, tasks);
    return of === null || tasks.length === of ? [] : [`${column} ${tasks.length} of ${of}`];
  });
  if (partial.length === 0) return [];
  return [`Columns that lack datasets, not to be put beside published ones: ${partial.join(', ')}.`];
}

function overBudgetNotes(rows: readonly ScoredRow[]): string[] {
  if (rows.every((row) => samplesOver(row) === 0)) return [];
  return ['Marked rows keep more than their nominal budget: compare by effective size (table cache).'];
}

/**
 * Scores in percent: a row for every cell and protocol, a column for every task column that has records, and the mean
 * over these columns. CSV adds the bounds of every score. Rows above their budget are flagged.
 */
export function accuracyTable({ rows, columns, legend }: Report): Table {
  return {
    name: 'accuracy',
    title: 'Score by task column (%)',
    notes: [
      'A column is the mean over its datasets, scored as MileBench does; mean = mean over the columns shown.',
      'Effective % = rows kept over prompt tokens, mean over layers and samples.',
      '± = half the 95 % interval of the mean, unknown where a dataset has one sample; accuracy.csv holds the bounds of every column.',
      ...overBudgetNotes(rows),
      ...partialColumnNotes(rows, columns),
      ...abortNotes(rows),
      ...remarkNotes(rows),
    ],
    legend,
    columns: [
      ...besideBudget(cellColumns, effectiveColumn),
      ...columns.flatMap((column) => estimateColumns(column, 'csv')),
      ...estimateColumns('mean', 'csv'),
      { header: '±', kind: 'number', decimals: 1 },
    ],
    rows: rows.map((row) => ({
      values: [
        ...besideBudget(cellValues(row), meanPercent(row, 'effective')),
        ...columns.flatMap((column) => estimateValues(row.scores.columns.get(column))),
        ...estimateValues(row.scores.mean),
        halfWidth(row),
      ],
      flagged: samplesOver(row) > 0,
    })),
  };
}
