import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { median, medianAbsoluteDeviation } from '../../src/core/median.js';

const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 40 });

describe('median', () => {
  test('is the middle value, or the mean of the two middle ones', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([10, 9, 2, 1])).toBe(5.5);
    expect(median(Float32Array.of(100, 20, 3))).toBe(20);
  });

  test('of nothing is not a number', () => {
    expect(median([])).toBeNaN();
    expect(medianAbsoluteDeviation([])).toBeNaN();
  });

  test('has at most half of the values on either side, in any order', () => {
    fc.assert(
      fc.property(values, (sample) => {
        const middle = median(sample);
        expect(sample.filter((value) => value < middle).length).toBeLessThanOrEqual(sample.length / 2);
        expect(sample.filter((value) => value > middle).length).toBeLessThanOrEqual(sample.length / 2);
        expect(median([...sample].reverse())).toBe(middle);
      }),
    );
  });
});

describe('median absolute deviation', () => {
  test('is the median distance to the median', () => {
    expect(medianAbsoluteDeviation([1, 1, 2, 2, 4, 6, 9])).toBe(1);
  });

  test('does not see a single outlier', () => {
    expect(medianAbsoluteDeviation([1, 2, 3, 4, 5])).toBe(medianAbsoluteDeviation([1, 2, 3, 4, 5000]));
  });
});
