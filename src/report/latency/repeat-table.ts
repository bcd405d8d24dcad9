import { median, medianAbsoluteDeviation } from '../../core/median.js';
import type { Table, TableRow } from '../table.js';
import { type LatencyReport, latencyCellValues, latencyColumns } from './latency-columns.js';
import type { LatencyRow } from './latency-rows.js';

function repeatRows(row: LatencyRow): TableRow[] {
  return row.measurements.flatMap(({ record, blocks, full }) =>
    blocks.map(({ turn, steps, runtime }, repeat) => {
      const step = median(steps);
      const values = [
        ...latencyCellValues(row),
        record.task,
        record.sampleId,
        repeat,
        turn,
        step,
        medianAbsoluteDeviation(steps),
        median(runtime),
        full === null ? null : median(full[repeat]!.steps) / step,
        record.memoryRead.rates[repeat]!,
      ];
      return { values, flagged: false };
    }),
  );
}

/** What the medians are made of: a row for every cell, sample and repeat. */
export function latencyRepeatTable({ rows, legend }: LatencyReport): Table {
  return {
    name: 'repeats',
    title: 'Decode latency by repeat',
    filesOnly: true,
    notes: [
      'Turn = when in the repeat the cell came; step and ONNX Runtime = medians over the steps of the repeat, ms. All steps are in latency.jsonl.',
    ],
    legend,
    columns: [
      ...latencyColumns,
      { header: 'task', kind: 'text' },
      { header: 'sample', kind: 'text' },
      { header: 'repeat', kind: 'number' },
      { header: 'turn', kind: 'number' },
      { header: 'step', kind: 'number', decimals: 3 },
      { header: '±', kind: 'number', decimals: 3 },
      { header: 'ONNX Runtime', kind: 'number', decimals: 3 },
      { header: 'speed-up', kind: 'number', decimals: 3 },
      { header: 'memory read GB/s', kind: 'number', decimals: 1 },
    ],
    rows: rows.flatMap(repeatRows),
  };
}
