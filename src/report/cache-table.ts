import { pairwiseMean } from '../core/pairwise-mean.js';
import {
  bytesPerMiB,
  effectiveColumn,
  meanOverSamples,
  meanPercent,
  type SizeKind,
  samplesOver,
} from './cache-size.js';
import { type CellRow, cellColumns, cellValues } from './cell-rows.js';
import type { Report } from './report.js';
import type { Table, TableValue } from './table.js';

function meanRows(row: CellRow, kind: SizeKind): TableValue {
  return meanOverSamples(row, (cache) => pairwiseMean(cache[kind].rows));
}

function meanMiB(row: CellRow, kind: SizeKind): TableValue {
  return meanOverSamples(
    row,
    (cache) => cache[kind].bytes.reduce((total, bytes) => total + bytes, 0) / bytesPerMiB,
  );
}

function cacheValues(row: CellRow): TableValue[] {
  return [
    meanPercent(row, 'nominal'),
    meanPercent(row, 'effective'),
    meanRows(row, 'nominal'),
    meanRows(row, 'effective'),
    row.records.length === 0 ? null : samplesOver(row),
    meanMiB(row, 'nominal'),
    meanMiB(row, 'effective'),
    meanOverSamples(row, ({ bytesEnd }) => bytesEnd / bytesPerMiB),
  ];
}

/** Size of the cache, nominal and effective: means over the samples. Rows above their budget are flagged. */
export function cacheTable({ rows, legend }: Report): Table {
  return {
    name: 'cache',
    title: 'Size of the KV cache',
    notes: [
      'Nominal = what the budget allows, effective = what is kept: % of the prompt tokens and rows in a layer, MiB of K and V of all layers (float32, or int8 with its factors); means over layers and samples.',
      'Over = samples with a layer that keeps more rows than its budget allows: such rows are marked. In release semantics text priors keep all text, whatever the budget.',
    ],
    legend,
    columns: [
      ...cellColumns,
      { header: 'nominal %', kind: 'number', decimals: 1 },
      effectiveColumn,
      { header: 'nominal rows', kind: 'number', decimals: 1 },
      { header: 'effective rows', kind: 'number', decimals: 1 },
      { header: 'over', kind: 'number' },
      { header: 'MiB nominal', kind: 'number', decimals: 3 },
      { header: 'MiB compressed', kind: 'number', decimals: 3 },
      { header: 'MiB at the end', kind: 'number', decimals: 3 },
    ],
    rows: rows.map((row) => ({
      values: [...cellValues(row), ...cacheValues(row)],
      flagged: samplesOver(row) > 0,
    })),
  };
}
