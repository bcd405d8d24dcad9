import { accuracyTable } from './accuracy-table.js';
import { cacheTable } from './cache-table.js';
import { datasetTable } from './dataset-table.js';
import { differenceTable } from './difference-table.js';
import { latencyTable } from './latency-table.js';
import { layerTable } from './layer-table.js';
import { levelTable } from './level-table.js';
import { pairTable } from './pair-table.js';
import { prepareReport, type Report, type ReportInput } from './report.js';
import type { Table } from './table.js';

/** Every table in the order they are shown. */
const builders: readonly ((report: Report) => Table)[] = Object.freeze([
  accuracyTable,
  differenceTable,
  cacheTable,
  latencyTable,
  datasetTable,
  levelTable,
  pairTable,
  layerTable,
]);

/** The tables of a run, all from the same estimates. */
export function reportTables(input: ReportInput): Table[] {
  const report = prepareReport(input);
  return builders.map((build) => build(report));
}
