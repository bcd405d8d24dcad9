import { isFullCell } from '../../bench/plan.js';
import { median } from '../../core/median.js';
import { pairwiseMean } from '../../core/pairwise-mean.js';
import { effectiveColumn } from '../cache-size.js';
import type { Table, TableValue } from '../table.js';
import { type LatencyReport, latencyCellValues, latencyColumns } from './latency-columns.js';
import {
  type LatencyEstimate,
  type LatencyRow,
  limitEstimate,
  outsideEstimate,
  speedUpEstimate,
  stepBytes,
  stepEstimate,
} from './latency-rows.js';

function bounds(estimate: LatencyEstimate | null): [TableValue, TableValue] {
  return [estimate?.interval?.low ?? null, estimate?.interval?.high ?? null];
}

/** The null test fails where its interval leaves 1 out: then differences as small as that mean nothing. */
function failsNullTest({ nullTest }: LatencyRow, speedUp: LatencyEstimate | null): boolean {
  if (!nullTest || speedUp?.interval == null) return false;
  return speedUp.interval.low > 1 || speedUp.interval.high < 1;
}

function stepValues(row: LatencyRow): { readonly values: TableValue[]; readonly flagged: boolean } {
  const { measurements } = row;
  const [step, limit, outside] = [stepEstimate(row), limitEstimate(row), outsideEstimate(row)];
  const speedUp = isFullCell(row.cell) && !row.nullTest ? null : speedUpEstimate(row);
  const effective = measurements.map(({ measured }) => 100 * pairwiseMean(measured.cache.effective.ratio));
  const values = [
    ...latencyCellValues(row),
    measurements.length === 0 ? null : pairwiseMean(effective),
    step.median,
    step.mad,
    ...bounds(step),
    speedUp?.median ?? null,
    ...bounds(speedUp),
    median(measurements.map(stepBytes)) / 1e9,
    100 * limit.median,
    ...bounds(limit).map((bound) => (typeof bound === 'number' ? 100 * bound : bound)),
    outside.median,
    (100 * outside.median) / step.median,
    median(measurements.map(({ record }) => record.time.prefill)),
    median(measurements.map(({ measured }) => measured.compress)),
  ];
  return { values, flagged: failsNullTest(row, speedUp) };
}

/** Decode steps with their speed-up over the full cache and their share of the memory read limit. */
export function latencyStepTable({ rows, legend }: LatencyReport): Table {
  return {
    name: 'latency',
    title: 'Decode latency (ms a token)',
    notes: [
      'Step = median over repeats of the median step of a repeat, ± median absolute deviation over repeats. Speed-up = step of the full cache over step of the row in the same repeat: median. 95 % intervals: bootstrap over repeats within the samples.',
      'Limit % = GB that a step cannot do without (stored weights, used rows of K and V) over step and memory read rate of the same repeat. JS = what of a step is not inside ONNX Runtime.',
      'Prefill and compression are once a sample: prefill is shared by all cells, compression is that of a cell alone; for the full cache it is a copy.',
      ...(rows.some(({ nullTest }) => nullTest)
        ? [
            'Null test: the full cache decoded as if it were another method; its speed-up is 1 but for noise. Marked where the interval leaves 1 out.',
          ]
        : []),
    ],
    legend,
    columns: [
      ...latencyColumns,
      effectiveColumn,
      { header: 'step', kind: 'number', digits: 4 },
      { header: '±', kind: 'number', digits: 2 },
      { header: 'step low', kind: 'number', digits: 4, shownIn: 'files' },
      { header: 'step high', kind: 'number', digits: 4, shownIn: 'files' },
      { header: 'speed-up', kind: 'number', decimals: 3 },
      { header: 'low', kind: 'number', decimals: 3 },
      { header: 'high', kind: 'number', decimals: 3 },
      { header: 'GB a step', kind: 'number', digits: 3 },
      { header: 'limit %', kind: 'number', decimals: 1 },
      { header: 'limit % low', kind: 'number', decimals: 1, shownIn: 'files' },
      { header: 'limit % high', kind: 'number', decimals: 1, shownIn: 'files' },
      { header: 'JS', kind: 'number', decimals: 3, shownIn: 'files' },
      { header: 'JS %', kind: 'number', decimals: 1 },
      { header: 'prefill', kind: 'number', decimals: 0 },
      { header: 'compress', kind: 'number', decimals: 1 },
    ],
    rows: rows.map(stepValues),
  };
}
