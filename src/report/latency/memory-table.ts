import { isFullCell } from '../../bench/plan.js';
import { median } from '../../core/median.js';
import { pairwiseMean } from '../../core/pairwise-mean.js';
import { bytesPerMiB } from '../cache-size.js';
import type { Table, TableValue } from '../table.js';
import { type LatencyReport, latencyCellValues, latencyColumns } from './latency-columns.js';
import type { CellMeasurement, LatencyRow } from './latency-rows.js';

/** Less than this share of the full cache's is a change; the resident memory of a process moves by itself. */
const moved = 0.95;

function total(bytes: readonly number[]): number {
  return bytes.reduce((sum, one) => sum + one, 0);
}

/** Where the full cache made a process grow by less, what it grew by with another cache says nothing. */
const leastTelling = 64 * bytesPerMiB;

/** Resident bytes that came with the cache. */
function residentBytes({ measured: { resident } }: CellMeasurement): number {
  return resident.peak - resident.before;
}

function liveBytes({ measured }: CellMeasurement): number {
  return total(measured.cache.end.bytes);
}

/** Median over the samples of a row's value over that of the full cache, where that is at least so much. */
function shareOfFull(
  { measurements }: LatencyRow,
  full: LatencyRow | undefined,
  value: (measurement: CellMeasurement) => number,
  least: number,
): number | null {
  const shares = measurements.flatMap((measurement) => {
    const beside = full?.measurements.find(({ record }) => record === measurement.record);
    return beside === undefined || value(beside) < least ? [] : [value(measurement) / value(beside)];
  });
  return shares.length === 0 ? null : median(shares);
}

function verdict(live: number | null, resident: number | null): TableValue {
  if (live === null || resident === null) return null;
  if (live < moved) return resident < moved ? 'both' : 'live only';
  return resident < moved ? 'resident only' : 'neither';
}

function memoryValues(row: LatencyRow, full: LatencyRow | undefined): TableValue[] {
  const { measurements } = row;
  const middle = (value: (measurement: CellMeasurement) => number): TableValue =>
    measurements.length === 0 ? null : median(measurements.map(value));
  const mib = (value: (measurement: CellMeasurement) => number): TableValue =>
    middle((measurement) => value(measurement) / bytesPerMiB);
  const live = shareOfFull(row, full, liveBytes, 1);
  const resident = shareOfFull(row, full, residentBytes, leastTelling);
  return [
    ...latencyCellValues(row),
    middle(({ measured }) => pairwiseMean(measured.cache.end.rows)),
    middle(({ measured }) => pairwiseMean(measured.cache.allocated.rows)),
    mib(({ measured }) => total(measured.cache.effective.bytes)),
    mib(liveBytes),
    mib(({ measured }) => total(measured.cache.allocated.bytes)),
    mib(residentBytes),
    mib(({ measured }) => measured.resident.peak),
    live === null ? null : 100 * live,
    resident === null ? null : 100 * resident,
    row === full ? null : verdict(live, resident),
  ];
}

/** Live bytes of the caches beside what the process held in memory for them. */
export function latencyMemoryTable({ rows, legend }: LatencyReport): Table {
  const shown = rows.filter(({ nullTest }) => !nullTest);
  const full = shown.find(({ cell }) => isFullCell(cell));
  return {
    name: 'memory',
    title: 'KV cache in memory (MiB)',
    notes: [
      'Rows are means over layers, after the last step; allocated = what the buffers have room for. Live = K and V of used rows (and scales), right after compression and at the end of a repeat.',
      'Resident = how much the process grew, at its peak after a step, while this cache was the only one loaded; process = all of it, weights included. Medians over samples.',
      `Moved = which of live bytes and resident bytes are under ${100 * moved} % of the full cache's; not told where that made the process grow by less than ${leastTelling / bytesPerMiB} MiB.`,
    ],
    legend,
    columns: [
      ...latencyColumns,
      { header: 'rows', kind: 'number', decimals: 1 },
      { header: 'allocated rows', kind: 'number', decimals: 1 },
      { header: 'live', kind: 'number', decimals: 2 },
      { header: 'live at the end', kind: 'number', decimals: 2 },
      { header: 'allocated', kind: 'number', decimals: 2 },
      { header: 'resident', kind: 'number', decimals: 1 },
      { header: 'process', kind: 'number', decimals: 0 },
      { header: 'live %', kind: 'number', decimals: 1 },
      { header: 'resident %', kind: 'number', decimals: 1 },
      { header: 'moved', kind: 'text' },
    ],
    rows: shown.map((row) => ({ values: memoryValues(row, full), flagged: false })),
  };
}
