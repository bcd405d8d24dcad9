import { pairwiseMean } from '../core/pairwise-mean.js';
import { type CellRow, cellColumns, cellValues } from './cell-rows.js';
import type { Report } from './report.js';
import type { Table, TableValue } from './table.js';

const bytesPerMiB = 2 ** 20;

/** Shares that differ by rounding alone are equal. */
const shareTolerance = 1e-9;

function nominalShare({ cell: { budget } }: CellRow): number {
  return budget === null ? 1 : budget.recent + budget.important;
}

function samplesOver(row: CellRow): number {
  const nominal = nominalShare(row) + shareTolerance;
  return row.records.filter(({ cache }) => cache.effectiveRatio > nominal).length;
}

function meanOf(row: CellRow, value: (record: CellRow['records'][number]) => number): number | null {
  return row.records.length === 0 ? null : pairwiseMean(row.records.map(value));
}

function percent(share: number | null): number | null {
  return share === null ? null : share * 100;
}

function cacheValues(row: CellRow): TableValue[] {
  return [
    percent(nominalShare(row)),
    meanOf(row, ({ cache }) => pairwiseMean(cache.rows)),
    percent(meanOf(row, ({ cache }) => cache.effectiveRatio)),
    row.records.length === 0 ? null : samplesOver(row),
    meanOf(row, ({ cache }) => cache.bytesCompressed / bytesPerMiB),
    meanOf(row, ({ cache }) => cache.bytesEnd / bytesPerMiB),
  ];
}

/** Size of the cache, nominal and effective: means over the samples. Rows above their budget are flagged. */
export function cacheTable({ rows, legend }: Report): Table {
  return {
    name: 'cache',
    title: 'Size of the KV cache',
    notes: [
      'Rows = tokens kept in a layer, effective = rows over prompt tokens, MiB = K and V of all layers; means over samples.',
      'Over = samples whose cache is larger than the nominal budget (text priors keep all text): such rows are marked.',
    ],
    legend,
    columns: [
      ...cellColumns,
      { header: 'nominal %', kind: 'number', decimals: 1 },
      { header: 'rows', kind: 'number', decimals: 1 },
      { header: 'effective %', kind: 'number', decimals: 1 },
      { header: 'over', kind: 'number' },
      { header: 'MiB compressed', kind: 'number', decimals: 3 },
      { header: 'MiB at the end', kind: 'number', decimals: 3 },
    ],
    rows: rows.map((row) => ({
      values: [...cellValues(row), ...cacheValues(row)],
      flagged: samplesOver(row) > 0,
    })),
  };
}
