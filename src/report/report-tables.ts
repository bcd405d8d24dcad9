import { accuracyTable } from './accuracy-table.js';
import { cacheTable } from './cache-table.js';
import type { ReportInput } from './cell-rows.js';
import { latencyTable } from './latency-table.js';
import type { Table } from './table.js';

/** The tables of a run, in the order they are shown. */
export function reportTables(input: ReportInput): Table[] {
  return [accuracyTable, cacheTable, latencyTable].map((build) => build(input));
}
