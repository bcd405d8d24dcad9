import { bytesPerMiB, effectiveColumn, meanOverSamples, samplesOverInLayer } from './cache-size.js';
import { cellColumns, cellValues } from './cell-rows.js';
import type { Report, ScoredRow } from './report.js';
import type { Table, TableRow, TableValue } from './table.js';

function layerValues(row: ScoredRow, layer: number): TableValue[] {
  const mean = (value: Parameters<typeof meanOverSamples>[1]): TableValue => meanOverSamples(row, value);
  return [
    mean(({ nominal }) => nominal.ratio[layer]! * 100),
    mean(({ effective }) => effective.ratio[layer]! * 100),
    mean(({ nominal }) => nominal.rows[layer]!),
    mean(({ effective }) => effective.rows[layer]!),
    mean(({ nominal }) => nominal.bytes[layer]! / bytesPerMiB),
    mean(({ effective }) => effective.bytes[layer]! / bytesPerMiB),
  ];
}

function layerRows(row: ScoredRow): TableRow[] {
  const layers = row.records[0]?.cache.effective.rows ?? [];
  return layers.map((_, layer) => ({
    values: [...cellValues(row), layer, ...layerValues(row, layer)],
    flagged: samplesOverInLayer(row, layer) > 0,
  }));
}

/** Size of the cache layer by layer: a row for every cell and layer. Rows above their budget are flagged. */
export function layerTable({ rows, legend }: Report): Table {
  return {
    name: 'layers',
    title: 'Size of the KV cache by layer',
    filesOnly: true,
    notes: [
      'Nominal = what the budget allows, effective and compressed = what is kept: % of the prompt tokens, rows, MiB of K and V of the layer (float32, or int8 with its factors); means over samples. Layers count from 0.',
      'Marked where the layer keeps more rows than its budget allows in any sample.',
    ],
    legend,
    columns: [
      ...cellColumns,
      { header: 'layer', kind: 'number' },
      { header: 'nominal %', kind: 'number', decimals: 1 },
      effectiveColumn,
      { header: 'nominal rows', kind: 'number', decimals: 1 },
      { header: 'effective rows', kind: 'number', decimals: 1 },
      { header: 'MiB nominal', kind: 'number', decimals: 3 },
      { header: 'MiB compressed', kind: 'number', decimals: 3 },
    ],
    rows: rows.flatMap(layerRows),
  };
}
