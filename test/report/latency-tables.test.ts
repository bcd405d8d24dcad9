import { describe, expect, it } from 'vitest';
import type { LatencyRecord } from '../../src/latency/latency-record.js';
import { latencyTables } from '../../src/report/latency/latency-tables.js';
import type { Table, TableValue } from '../../src/report/table.js';
import { latencyRecord, measured } from './latency-records.js';
import { cell, full } from './sample-records.js';

const h2o = cell('h2o', 0.2, 'cache');

function tableOf(name: string, records: readonly LatencyRecord[], cells = [full, h2o]): Table {
  return latencyTables(records, cells).find((table) => table.name === name)!;
}

/** The value of a row of a table in a column. */
function value(table: Table, row: number, header: string): TableValue {
  return table.rows[row]!.values[table.columns.findIndex((column) => column.header === header)]!;
}

describe('the latency table', () => {
  /** Medians of repeats: full 10, 20, 12; h2o 5, 5, 4. */
  const record = latencyRecord(
    [
      measured({
        cell: full,
        blocks: [
          [9, 10, 30],
          [20, 20, 20],
          [12, 11, 12],
        ],
        nullTest: [
          [10, 10, 10],
          [16, 16, 16],
          [12, 12, 12],
        ],
      }),
      measured({
        cell: h2o,
        blocks: [
          [5, 5, 5],
          [5, 4, 5],
          [4, 4, 4],
        ],
        rows: 20,
        outside: 0.5,
        compress: 7,
      }),
    ],
    { rates: [1, 2, 0.5] },
  );
  const table = tableOf('latency', [record]);

  it('has the median over repeats of the median step of a repeat, warm-up left out', () => {
    expect(table.rows.map(({ values }) => values[0])).toEqual(['full', 'h2o', 'full (null test)']);
    expect(value(table, 0, 'step')).toBe(12);
    expect(value(table, 0, '±')).toBe(2);
    expect(value(table, 1, 'step')).toBe(5);
  });

  it('has the speed-up of each repeat over the full cache of the same repeat', () => {
    // 10 / 5, 20 / 5, 12 / 4
    expect(value(table, 1, 'speed-up')).toBe(3);
    expect([value(table, 1, 'low'), value(table, 1, 'high')]).toEqual([2, 4]);
    expect(value(table, 0, 'speed-up')).toBeNull();
    // 10 / 10, 20 / 16, 12 / 12
    expect(value(table, 2, 'speed-up')).toBe(1);
  });

  it('has the share of the memory read rate of the same repeat at which bytes are got through', () => {
    // Rows of the three timed steps: 22, 23, 24 in each of two layers, and the weights.
    const bytes = 800_000 + 2 * 23 * 1000;
    expect(value(table, 1, 'GB a step')).toBeCloseTo(bytes / 1e9, 12);
    const shares = [bytes / 5e6 / 1, bytes / 5e6 / 2, bytes / 4e6 / 0.5];
    expect(value(table, 1, 'limit %')).toBeCloseTo(100 * shares[0]!, 9);
    expect(value(table, 1, 'limit % low')).toBeCloseTo(100 * shares[1]!, 9);
    expect(value(table, 1, 'limit % high')).toBeCloseTo(100 * shares[2]!, 9);
  });

  it('has what of a step is outside ONNX Runtime, and prefill and compression apart', () => {
    expect(value(table, 1, 'JS')).toBe(0.5);
    expect(value(table, 1, 'JS %')).toBe(10);
    expect(value(table, 1, 'prefill')).toBe(300);
    expect(value(table, 1, 'compress')).toBe(7);
  });

  it('takes medians over the repeats of all samples, and of samples where there is one value each', () => {
    const slower = latencyRecord(
      [
        measured({ cell: full, blocks: [[40], [40], [40]] }),
        measured({ cell: h2o, blocks: [[10], [10], [10]], rows: 30, compress: 9 }),
      ],
      { sampleId: '2', prefill: 500 },
    );
    const both = tableOf('latency', [record, slower]);
    expect(value(both, 0, 'n')).toBe(2);
    // 10, 12, 20, 40, 40, 40
    expect(value(both, 0, 'step')).toBe(30);
    // 2, 3, 4 and 4, 4, 4
    expect(value(both, 1, 'speed-up')).toBe(4);
    expect(value(both, 1, 'prefill')).toBe(400);
    expect(value(both, 1, 'compress')).toBe(8);
    expect(value(both, 1, 'effective %')).toBe(25);
  });

  it('marks a null test whose interval leaves 1 out, and no other row', () => {
    const repeats = [[10], [10], [10]];
    const off = latencyRecord([
      measured({ cell: full, blocks: repeats, nullTest: [[9], [9], [9]] }),
      measured({ cell: h2o, blocks: [[5], [5], [5]] }),
    ]);
    expect(tableOf('latency', [off]).rows.map(({ flagged }) => flagged)).toEqual([false, false, true]);
    expect(table.rows.map(({ flagged }) => flagged)).toEqual([false, false, false]);
    expect(table.notes.join()).toContain('Null test');
  });

  it('knows no interval of one repeat', () => {
    const one = latencyRecord([
      measured({ cell: full, blocks: [[10, 11]] }),
      measured({ cell: h2o, blocks: [[5, 5]] }),
    ]);
    const single = tableOf('latency', [one]);
    expect(value(single, 1, 'speed-up')).toBe(2.1);
    expect([value(single, 1, 'low'), value(single, 1, 'step low')]).toEqual([null, null]);
    expect(single.notes.join()).not.toContain('Null test');
  });

  it('knows no speed-up without a full cache, and no row of a cell that was not measured', () => {
    const alone = latencyRecord([measured({ cell: h2o, blocks: [[5], [6]] })]);
    const without = tableOf('latency', [alone]);
    expect(without.rows).toHaveLength(1);
    expect(value(without, 0, 'speed-up')).toBeNull();
    expect(value(without, 0, 'step')).toBe(5.5);
  });

  it('says how it was measured, and where', () => {
    const legend = table.legend.join('\n');
    expect(legend).toContain('3 repeats of 1 + 3 steps');
    expect(legend).toContain('2 threads on processor 0, 1');
    expect(legend).toContain('memory read at 1.0 ± 0.5 GB/s (memcmp');
    expect(legend).toContain('other processes took at most 1.2 % of the processors and the hypervisor 0.1 %');
    expect(legend).not.toContain('random');
    const free = { kind: 'free', reason: 'koffi does not load' } as const;
    const cells = [measured({ cell: full, blocks: [[1]] })];
    const other = tableOf('latency', [latencyRecord(cells, { random: true, load: null, pinning: free })]);
    const said = other.legend.join('\n');
    expect(said).toContain('2 threads, not pinned (koffi does not load)');
    expect(said).toContain('What other processes took is not known here.');
    expect(said).toContain('No scores are reported: the weights are random');
  });
});

describe('the memory table', () => {
  const before = 2 ** 30;
  const mebibyte = 2 ** 20;
  const of = (rows: number, grown: number) => ({
    ...{ blocks: [[5]], rows },
    resident: { before, peak: before + 10 * grown * mebibyte },
  });
  const masked = cell('masked', 0.2, 'cache');
  const reserved = cell('reserved', 0.2, 'cache');
  const record = latencyRecord([
    measured({ cell: full, ...of(100, 10) }),
    measured({ cell: h2o, ...of(20, 2) }),
    measured({ cell: masked, ...of(20, 10) }),
    measured({ cell: reserved, ...of(100, 5) }),
  ]);
  const cells = [full, h2o, masked, reserved];
  const table = tableOf('memory', [record], cells);

  it('has live bytes beside what the process grew by, each as a share of the full cache', () => {
    expect(value(table, 1, 'rows')).toBe(22);
    expect(value(table, 1, 'allocated rows')).toBe(128);
    expect(value(table, 1, 'live')).toBeCloseTo(40_000 / mebibyte, 9);
    expect(value(table, 1, 'live at the end')).toBeCloseTo(44_000 / mebibyte, 9);
    expect(value(table, 1, 'allocated')).toBeCloseTo(256_000 / mebibyte, 9);
    expect(value(table, 1, 'resident')).toBe(20);
    expect(value(table, 1, 'process')).toBe(1044);
    expect(value(table, 1, 'live %')).toBeCloseTo((100 * 22) / 102, 9);
    expect(value(table, 1, 'resident %')).toBe(20);
  });

  it('says which of the two a method moved', () => {
    expect(cells.map((_, row) => value(table, row, 'moved'))).toEqual([
      null,
      'both',
      'live only',
      'resident only',
    ]);
  });

  it('says nothing of resident memory where the full cache took next to none', () => {
    const small = latencyRecord([
      measured({ cell: full, ...of(100, 6) }),
      measured({ cell: h2o, ...of(20, 1) }),
    ]);
    const tiny = tableOf('memory', [small]);
    expect(value(tiny, 1, 'resident %')).toBeNull();
    expect(value(tiny, 1, 'moved')).toBeNull();
  });
});

it('layers and repeats are in files, a row each', () => {
  const record = latencyRecord([
    measured({ cell: full, blocks: [[10], [12]] }),
    measured({ cell: h2o, blocks: [[5], [4]], rows: 20 }),
  ]);
  const layers = tableOf('memory-layers', [record]);
  expect(layers.filesOnly).toBe(true);
  expect(layers.rows).toHaveLength(4);
  expect(value(layers, 3, 'layer')).toBe(1);
  expect(value(layers, 3, 'rows at the end')).toBe(22);
  const repeats = tableOf('repeats', [record]);
  expect(repeats.filesOnly).toBe(true);
  expect(repeats.rows.map((_, row) => value(repeats, row, 'speed-up'))).toEqual([1, 1, 2, 3]);
  expect(repeats.rows.map((_, row) => value(repeats, row, 'turn'))).toEqual([0, 1, 0, 1]);
});
