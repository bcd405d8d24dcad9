import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { floatJson, floatRepr, roundFloat } from '../../src/core/python-float.js';

describe('Python’s round of a float', () => {
  test.each([
    // Ties of the exact binary value go to the even digit; decimal ties are none.
    [0.0625, 3, 0.062],
    [0.1875, 3, 0.188],
    [-0.0625, 3, -0.062],
    [0.125, 2, 0.12],
    [0.375, 2, 0.38],
    [0.0005, 3, 0.001],
    [0.1235, 3, 0.123],
    [0.6665, 3, 0.666],
    [2.675, 2, 2.67],
    [1.005, 2, 1],
    [0.9995, 3, 1],
    [1e300, 2, 1e300],
    [4503599627370495.5, 2, 4503599627370495.5],
  ])('of %s to %s digits is %s', (value, digits, rounded) => {
    expect(roundFloat(value, digits)).toBe(rounded);
  });

  test('keeps the sign of zero, NaN and infinities', () => {
    expect(roundFloat(-0, 3)).toBe(-0);
    expect(roundFloat(-0.0001, 3)).toBe(-0);
    expect(roundFloat(Number.NaN, 3)).toBeNaN();
    expect(roundFloat(Number.NEGATIVE_INFINITY, 3)).toBe(Number.NEGATIVE_INFINITY);
  });

  test('is a nearest number with that many digits', () => {
    fc.assert(
      fc.property(fc.double({ min: -1000, max: 1000, noNaN: true }), (value) => {
        const rounded = roundFloat(value, 3);
        expect(Math.abs(rounded - value)).toBeLessThanOrEqual(0.0005 + 1e-12);
        expect(rounded).toBe(roundFloat(rounded, 3));
        expect(floatRepr(rounded)).toMatch(/^-?\d+\.\d{1,3}$/);
      }),
    );
  });
});

test('numbers that JSON has no text for are Python’s words', () => {
  const values = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1];
  expect(values.map(floatJson)).toEqual(['NaN', 'Infinity', '-Infinity', '1.0']);
  expect(values.map(floatRepr)).toEqual(['nan', 'inf', '-inf', '1.0']);
});
