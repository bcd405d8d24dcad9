import type { SampleRecord } from '../bench/record.js';
import { pairwiseMean } from '../core/pairwise-mean.js';
import type { CellRow } from './cell-rows.js';
import type { TableColumn, TableValue } from './table.js';

/** What the budget allows, and what the method kept. */
export type SizeKind = 'nominal' | 'effective';

export const bytesPerMiB = 2 ** 20;

/** Share of the prompt that is kept, in percent. */
export const effectiveColumn: TableColumn = Object.freeze({
  header: 'effective %',
  kind: 'number',
  decimals: 1,
});

/** Mean over the samples of a row; `null` without any. */
export function meanOverSamples(
  { records }: CellRow,
  value: (cache: SampleRecord['cache']) => number,
): TableValue {
  return records.length === 0 ? null : pairwiseMean(records.map(({ cache }) => value(cache)));
}

/** Rows over prompt tokens in percent: mean over layers and samples. */
export function meanPercent(row: CellRow, kind: SizeKind): TableValue {
  return meanOverSamples(row, (cache) => pairwiseMean(cache[kind].ratio) * 100);
}

function layerIsOver({ nominal, effective }: SampleRecord['cache'], layer: number): boolean {
  return (effective.rows[layer] ?? 0) > (nominal.rows[layer] ?? 0);
}

/** Samples of which this layer keeps more rows than its budget allows. */
export function samplesOverInLayer({ records }: CellRow, layer: number): number {
  return records.filter(({ cache }) => layerIsOver(cache, layer)).length;
}

/** Samples of which any layer keeps more rows than its budget allows. */
export function samplesOver({ records }: CellRow): number {
  return records.filter(({ cache }) => cache.effective.rows.some((_, layer) => layerIsOver(cache, layer)))
    .length;
}
