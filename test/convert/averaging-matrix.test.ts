import { expect, test } from 'vitest';
import { averagingMatrix } from '../../src/convert/projectors/averaging-matrix.js';

/** Columns of the matrix: the weights of every output. */
function outputs(from: number, to: number): number[][] {
  const matrix = averagingMatrix(from, to);
  return Array.from({ length: to }, (_, i) => Array.from({ length: from }, (_, j) => matrix[j * to + i]!));
}

test('sizes that divide are cut into equal windows', () => {
  expect(outputs(6, 3)).toEqual([
    [0.5, 0.5, 0, 0, 0, 0],
    [0, 0, 0.5, 0.5, 0, 0],
    [0, 0, 0, 0, 0.5, 0.5],
  ]);
});

test('windows of sizes that do not divide overlap', () => {
  expect(outputs(5, 3)).toEqual([
    [0.5, 0.5, 0, 0, 0],
    [0, 1, 1, 1, 0].map((x) => Math.fround(x / 3)),
    [0, 0, 0, 0.5, 0.5],
  ]);
});

test('a larger size repeats values', () => {
  expect(outputs(2, 3)).toEqual([
    [1, 0],
    [0.5, 0.5],
    [0, 1],
  ]);
});

test('every output is a mean', () => {
  for (const from of [1, 7, 11, 12, 13, 24, 32]) {
    for (const weights of outputs(from, 12)) {
      expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 6);
    }
  }
});
