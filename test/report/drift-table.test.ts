import { describe, expect, test } from 'vitest';
import type { Cell, SampleRecord } from '../../src/bench/record.js';
import { driftTable } from '../../src/report/drift-table.js';
import { prepareReport } from '../../src/report/report.js';
import { reportTables } from '../../src/report/report-tables.js';
import { cell, full, record } from './sample-records.js';

const h2o = cell('h2o', 0.2, 'cache');
const rounded = cell('h2o+int8', 0.2, 'cache');
const roundedFull: Cell = { ...full, method: 'full+int8', firstToken: 'cache' };

function answered(cell: Cell, sampleId: string, score: number, tokens: readonly number[]): SampleRecord {
  return { ...record({ cell, sampleId, score }), tokens: [...tokens] };
}

const records = [
  answered(full, '1', 1, [5, 6]),
  answered(full, '2', 1, [5, 6]),
  answered(h2o, '1', 1, [5, 6]),
  answered(h2o, '2', 0, [5, 7]),
  answered(h2o, '3', 1, [9]),
  answered(rounded, '1', 0, [5]),
  answered(rounded, '2', 1, [5, 6]),
  answered(rounded, '3', 1, [9]),
  answered(rounded, '4', 1, [9]),
  answered(roundedFull, '1', 1, [5, 6]),
  answered(roundedFull, '2', 1, [5, 6]),
];
const input = {
  cells: [full, h2o, rounded, roundedFull],
  firstTokens: ['cache'],
  scoring: 'release',
  records,
} as const;

describe('what quantisation changes', () => {
  const table = driftTable(prepareReport(input));
  const of = (row: number): unknown[] => table.rows[row]!.values.slice(-6);

  test('is a row for every quantised cell beside the same one in float32, on samples of both', () => {
    expect(table.rows.map(({ values }) => values[0])).toEqual(['h2o+int8', 'full+int8']);
    expect(table.rows[0]!.values[5]).toBe(3);
    expect(of(0).slice(-2)).toEqual([1, 1]);
  });

  test('counts answers that are the same to the last token, and differences of scores', () => {
    const [same, difference, low, high] = of(0) as number[];
    expect(same).toBeCloseTo(100 / 3, 9);
    expect(difference).toBeCloseTo(0, 9);
    expect(low).toBe(-100);
    expect(high).toBe(100);
    expect(of(1)).toEqual([100, 0, 0, 0, 0, 0]);
    expect(table.rows.map(({ flagged }) => flagged)).toEqual([false, false]);
  });

  test('is marked where the interval leaves 0 out', () => {
    const worse = ['1', '2', '3'].flatMap((id) => [answered(h2o, id, 1, [1]), answered(rounded, id, 0, [2])]);
    const marked = driftTable(prepareReport({ ...input, cells: [h2o, rounded], records: worse }));
    expect(marked.rows[0]!.flagged).toBe(true);
  });

  test('is no table where nothing is quantised', () => {
    const names = (cells: readonly Cell[]): string[] =>
      reportTables({ ...input, cells }).map(({ name }) => name);
    expect(names([full, h2o])).not.toContain('drift');
    expect(names([full, h2o, rounded])).toContain('drift');
  });
});
