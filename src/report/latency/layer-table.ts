import { pairwiseMean } from '../../core/pairwise-mean.js';
import { bytesPerMiB } from '../cache-size.js';
import type { Table, TableRow } from '../table.js';
import { type LatencyReport, latencyCellValues, latencyColumns } from './latency-columns.js';
import type { CellMeasurement, LatencyRow } from './latency-rows.js';

function layerRows(row: LatencyRow): TableRow[] {
  const { measurements } = row;
  const layers = measurements[0]?.measured.cache.effective.rows ?? [];
  return layers.map((_, layer) => {
    const mean = (value: (cache: CellMeasurement['measured']['cache']) => number): number =>
      pairwiseMean(measurements.map(({ measured }) => value(measured.cache)));
    const values = [
      ...latencyCellValues(row),
      layer,
      mean(({ effective }) => effective.rows[layer]!),
      mean(({ end }) => end.rows[layer]!),
      mean(({ allocated }) => allocated.rows[layer]!),
      mean(({ effective }) => effective.bytes[layer]! / bytesPerMiB),
      mean(({ end }) => end.bytes[layer]! / bytesPerMiB),
      mean(({ allocated }) => allocated.bytes[layer]! / bytesPerMiB),
    ];
    return { values, flagged: false };
  });
}

/** Rows and bytes layer by layer: a row for every cell and layer. */
export function latencyLayerTable({ rows, legend }: LatencyReport): Table {
  return {
    name: 'memory-layers',
    title: 'KV cache in memory by layer',
    filesOnly: true,
    notes: [
      'Right after compression, after the last step of a repeat, and what the buffers have room for then; means over samples, MiB of K and V. Layers count from 0.',
    ],
    legend,
    columns: [
      ...latencyColumns,
      { header: 'layer', kind: 'number' },
      { header: 'rows', kind: 'number', decimals: 1 },
      { header: 'rows at the end', kind: 'number', decimals: 1 },
      { header: 'allocated rows', kind: 'number', decimals: 1 },
      { header: 'MiB', kind: 'number', decimals: 3 },
      { header: 'MiB at the end', kind: 'number', decimals: 3 },
      { header: 'MiB allocated', kind: 'number', decimals: 3 },
    ],
    rows: rows.filter(({ nullTest }) => !nullTest).flatMap(layerRows),
  };
}
