import type { Cell } from '../../bench/record.js';
import type { LatencyRecord } from '../../latency/latency-record.js';
import type { Table } from '../table.js';
import { latencyLegend } from './latency-legend.js';
import { latencyRows } from './latency-rows.js';
import { latencyLayerTable } from './layer-table.js';
import { latencyMemoryTable } from './memory-table.js';
import { latencyRepeatTable } from './repeat-table.js';
import { latencyStepTable } from './step-table.js';

/** Every table of a latency run, from its records alone. */
export function latencyTables(records: readonly LatencyRecord[], cells: readonly Cell[]): Table[] {
  const report = { rows: latencyRows(records, cells), legend: latencyLegend(records) };
  return [latencyStepTable, latencyMemoryTable, latencyLayerTable, latencyRepeatTable].map((build) =>
    build(report),
  );
}
