import { isFullCell } from '../bench/plan.js';
import { median, medianAbsoluteDeviation } from '../core/median.js';
import { type CellRow, cellColumns, cellValues } from './cell-rows.js';
import type { Report } from './report.js';
import type { Table, TableValue } from './table.js';

function medianAndDeviation(values: readonly number[]): [TableValue, TableValue] {
  return values.length === 0 ? [null, null] : [median(values), medianAbsoluteDeviation(values)];
}

function stepTimes(row: CellRow): number[] {
  return row.records.flatMap(({ time }) => time.steps);
}

/** Whether steps of this row were timed in another cell. */
function sharesDecode({ records }: CellRow): boolean {
  return records.some(({ time }) => time.sharedDecode && time.steps.length > 0);
}

/** Whether cells of this row decoded in step with others, without times of their own. */
function hasNoSteps({ records }: CellRow): boolean {
  return records.some(({ time, tokens }) => tokens.length > 1 && time.steps.length === 0);
}

function latencyValues(row: CellRow, fullStep: number | null): TableValue[] {
  const steps = stepTimes(row);
  const own = median(steps);
  return [
    ...medianAndDeviation(row.records.map(({ time }) => time.prefill)),
    ...medianAndDeviation(row.records.map(({ time }) => time.compress)),
    ...medianAndDeviation(steps),
    steps.length,
    fullStep === null || steps.length === 0 || own === 0 ? null : fullStep / own,
  ];
}

/** Times of a run in milliseconds: medians with their median absolute deviations (±). Rows with shared decodes are flagged. */
export function latencyTable({ rows, legend }: Report): Table {
  const full = rows.find(({ cell }) => isFullCell(cell));
  const fullSteps = full === undefined ? [] : stepTimes(full);
  const fullStep = fullSteps.length === 0 ? null : median(fullSteps);
  return {
    name: 'latency',
    title: 'Latency (ms)',
    notes: [
      'A by-product of an accuracy run: no warm-up, no repeats, answers of different lengths. lookm bench --latency measures by a protocol.',
      'Prefill is shared by all cells of a sample; compress = all layers of a sample; decode = one decode step. Median ± median absolute deviation.',
      'Speed-up = median decode step of the full cache over median step of the row.',
      ...(rows.some(hasNoSteps) ? ["– where cells decoded together: such steps are nobody's own."] : []),
      ...(rows.some(sharesDecode)
        ? ['Cells with identical caches share one decode: marked rows hold steps of shared decodes.']
        : []),
    ],
    legend,
    columns: [
      ...cellColumns,
      { header: 'prefill', kind: 'number', decimals: 1 },
      { header: '± prefill', kind: 'number', decimals: 1 },
      { header: 'compress', kind: 'number', decimals: 2 },
      { header: '± compress', kind: 'number', decimals: 2 },
      { header: 'decode', kind: 'number', decimals: 2 },
      { header: '± decode', kind: 'number', decimals: 2 },
      { header: 'steps', kind: 'number' },
      { header: 'speed-up', kind: 'number', decimals: 2 },
    ],
    rows: rows.map((row) => ({
      values: [...cellValues(row), ...latencyValues(row, fullStep)],
      flagged: sharesDecode(row),
    })),
  };
}
