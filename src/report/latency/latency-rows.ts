import { isFullCell } from '../../bench/plan.js';
import type { Cell } from '../../bench/record.js';
import type { Interval } from '../../core/interval.js';
import { median, medianAbsoluteDeviation } from '../../core/median.js';
import { medianInterval } from '../../core/median-interval.js';
import type { LatencyBlock, LatencyRecord, MeasuredCell } from '../../latency/latency-record.js';
import { cellKey } from '../cell-rows.js';

/** What was measured of a cell on one sample. */
export interface CellMeasurement {
  readonly record: LatencyRecord;
  readonly measured: MeasuredCell;
  /** One a repeat. */
  readonly blocks: readonly LatencyBlock[];
  /** Of the full cache in the same repeats; `null` without one. */
  readonly full: readonly LatencyBlock[] | null;
}

/** A row of the latency tables: a cell, or the full cache as the null test. */
export interface LatencyRow {
  readonly cell: Cell;
  readonly nullTest: boolean;
  /** One a sample. */
  readonly measurements: readonly CellMeasurement[];
}

/** A median with its spread and a 95 % interval over repeats; NaN of nothing. */
export interface LatencyEstimate {
  readonly median: number;
  readonly mad: number;
  readonly interval: Interval | null;
}

/** Intervals are the same whenever tables are written. */
const seed = 6138;

/** The rows of cells that were measured, the null test last. */
export function latencyRows(records: readonly LatencyRecord[], cells: readonly Cell[]): LatencyRow[] {
  const rows = cells.map((cell): LatencyRow => {
    const key = cellKey(cell);
    const measurements = records.flatMap((record) => {
      const measured = record.cells.find((one) => cellKey(one.cell) === key);
      return measured === undefined
        ? []
        : [{ record, measured, blocks: measured.blocks, full: fullOf(record) }];
    });
    return { cell, nullTest: false, measurements };
  });
  const nullTests = rows.flatMap(({ cell, measurements }): LatencyRow[] => {
    const again = measurements.flatMap(({ measured, ...rest }) =>
      measured.nullTest === undefined ? [] : [{ ...rest, measured, blocks: measured.nullTest }],
    );
    return again.length === 0 ? [] : [{ cell, nullTest: true, measurements: again }];
  });
  return [...rows.filter(({ measurements }) => measurements.length > 0), ...nullTests];
}

function fullOf({ cells }: LatencyRecord): readonly LatencyBlock[] | null {
  return cells.find(({ cell }) => isFullCell(cell))?.blocks ?? null;
}

/** Median step of a repeat. */
function blockStep({ steps }: LatencyBlock): number {
  return median(steps);
}

function estimate(strata: readonly (readonly number[])[]): LatencyEstimate {
  const values = strata.flat();
  return {
    median: median(values),
    mad: medianAbsoluteDeviation(values),
    interval: medianInterval({ strata, seed }),
  };
}

/** Milliseconds of a decode step: median over repeats of the median of a repeat. */
export function stepEstimate({ measurements }: LatencyRow): LatencyEstimate {
  return estimate(measurements.map(({ blocks }) => blocks.map(blockStep)));
}

/** Step of the full cache over step of the row, repeat by repeat; `null` without a full cache. */
export function speedUpEstimate({ measurements }: LatencyRow): LatencyEstimate | null {
  const strata = measurements.flatMap(({ blocks, full }) =>
    full === null ? [] : [blocks.map((block, repeat) => blockStep(full[repeat]!) / blockStep(block))],
  );
  return strata.length === 0 ? null : estimate(strata);
}

/** Bytes that a timed step cannot do without, on average: stored weights and the rows in use. */
export function stepBytes({ record, measured: { cache } }: CellMeasurement): number {
  const total = (bytes: readonly number[]): number => bytes.reduce((sum, one) => sum + one, 0);
  const { steps, warmUp } = record.protocol;
  const [before, after] = [total(cache.effective.bytes), total(cache.end.bytes)];
  const step = (after - before) / (steps + warmUp);
  return record.weightBytes + after - (step * (steps - 1)) / 2;
}

/** Share of the memory read limit of the same repeat at which a step gets through its bytes. */
export function limitEstimate({ measurements }: LatencyRow): LatencyEstimate {
  return estimate(
    measurements.map((measurement) => {
      const bytes = stepBytes(measurement);
      const { rates } = measurement.record.memoryRead;
      return measurement.blocks.map((block, repeat) => bytes / blockStep(block) / 1e6 / rates[repeat]!);
    }),
  );
}

/** Milliseconds of a step that are not inside ONNX Runtime. */
export function outsideEstimate({ measurements }: LatencyRow): LatencyEstimate {
  return estimate(
    measurements.map(({ blocks }) =>
      blocks.map(({ steps, runtime }) => median(steps.map((step, i) => step - runtime[i]!))),
    ),
  );
}
