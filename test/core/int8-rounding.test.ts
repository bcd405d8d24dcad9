import { expect, it } from 'vitest';
import { inverseScales, toInt8 } from '../../src/core/int8-rounding.js';

it.each([
  [0.5, 0],
  [1.5, 2],
  [2.5, 2],
  [-0.5, 0],
  [-1.5, -2],
  [2.4999, 2],
  [126.5, 126],
  [127.6, 127],
  [1e9, 127],
  [-128.4, -128],
  [-1e9, -128],
])('%d comes to %d', (value, expected) => {
  expect(toInt8(value, 1) + 0).toBe(expected);
  expect(toInt8(value / 4, 4) + 0).toBe(expected);
});

it('the inverse of a factor is rounded to float32 once', () => {
  expect([...inverseScales(Float32Array.of(3, 0.5))]).toEqual([Math.fround(1 / 3), 2]);
});
