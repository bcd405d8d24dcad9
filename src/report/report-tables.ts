import { accuracyTable } from './accuracy-table.js';
import { cacheTable } from './cache-table.js';
import { datasetTable } from './dataset-table.js';
import { differenceTable } from './difference-table.js';
import { driftTable } from './drift-table.js';
import { latencyTable } from './latency-table.js';
import { layerTable } from './layer-table.js';
import { levelTable } from './level-table.js';
import { pairTable } from './pair-table.js';
import { prepareReport, type Report, type ReportInput } from './report.js';
import type { Table } from './table.js';

/** A table of scores, or one of what a cell costs. */
interface TableBuilder {
  readonly of: 'scores' | 'costs';
  /** Left out where it has no row. */
  readonly optional?: true;
  readonly build: (report: Report) => Table;
}

/** Every table in the order they are shown. */
const builders: readonly TableBuilder[] = Object.freeze([
  { of: 'scores', build: accuracyTable },
  { of: 'scores', build: differenceTable },
  { of: 'scores', build: driftTable, optional: true },
  { of: 'costs', build: cacheTable },
  { of: 'costs', build: latencyTable },
  { of: 'scores', build: datasetTable },
  { of: 'scores', build: levelTable },
  { of: 'scores', build: pairTable },
  { of: 'costs', build: layerTable },
]);

/** The tables of a run, all from the same estimates; those of scores only where the backbone's weights are not random. */
export function reportTables(input: ReportInput): Table[] {
  const report = prepareReport(input);
  const shown = builders.filter((builder) => builder.of === 'costs' || !report.randomWeights);
  return shown.flatMap(({ build, optional }) => {
    const table = build(report);
    return optional && table.rows.length === 0 ? [] : [table];
  });
}
