import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { wilsonInterval } from '../../src/core/wilson-interval.js';

describe('the Wilson interval', () => {
  test('of 15 in 20 is the published one', () => {
    const { low, high } = wilsonInterval({ successes: 15, trials: 20 });
    expect(low).toBeCloseTo(0.5313, 4);
    expect(high).toBeCloseTo(0.8881, 4);
  });

  test('is everything when nothing was tried', () => {
    expect(wilsonInterval({ successes: 0, trials: 0 })).toEqual({ low: 0, high: 1 });
  });

  test('starts at 0 without a success and leaves room above', () => {
    const { low, high } = wilsonInterval({ successes: 0, trials: 30 });
    expect(low).toBe(0);
    expect(high).toBeCloseTo(0.1135, 4);
  });

  test('holds the share, lies in [0, 1] and mirrors when successes and failures change places', () => {
    const counts = fc
      .integer({ min: 1, max: 10_000 })
      .chain((trials) =>
        fc.record({ trials: fc.constant(trials), successes: fc.integer({ min: 0, max: trials }) }),
      );
    fc.assert(
      fc.property(counts, ({ successes, trials }) => {
        const { low, high } = wilsonInterval({ successes, trials });
        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeLessThanOrEqual(1);
        expect(low).toBeLessThanOrEqual(successes / trials + 1e-12);
        expect(high).toBeGreaterThanOrEqual(successes / trials - 1e-12);
        const mirrored = wilsonInterval({ successes: trials - successes, trials });
        expect(mirrored.low).toBeCloseTo(1 - high, 9);
      }),
    );
  });

  test('narrows with more trials of the same share', () => {
    const few = wilsonInterval({ successes: 20, trials: 30 });
    const many = wilsonInterval({ successes: 200, trials: 300 });
    expect(many.high - many.low).toBeLessThan(few.high - few.low);
  });
});
