import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { wilsonInterval } from '../../src/core/wilson-interval.js';

describe('the Wilson interval', () => {
  test.each([
    { successes: 81, trials: 263, low: 0.2553, high: 0.3662 },
    { successes: 15, trials: 148, low: 0.0624, high: 0.1605 },
    { successes: 0, trials: 20, low: 0, high: 0.1611 },
    { successes: 1, trials: 29, low: 0.0061, high: 0.1718 },
  ])('of $successes in $trials is the one of Newcombe 1998, table I', ({ successes, trials, low, high }) => {
    const interval = wilsonInterval({ successes, trials });
    expect(interval.low).toBeCloseTo(low, 4);
    expect(interval.high).toBeCloseTo(high, 4);
  });

  test.each([
    { successes: 0, low: 0, high: 0.2775327998628892 },
    { successes: 5, low: 0.236593090512564, high: 0.7634069094874361 },
    { successes: 10, low: 0.7224672001371107, high: 1 },
  ])('of $successes in 10 is the one computed by hand', ({ successes, low, high }) => {
    const interval = wilsonInterval({ successes, trials: 10 });
    expect(interval.low).toBeCloseTo(low, 14);
    expect(interval.high).toBeCloseTo(high, 14);
  });

  test('ends exactly at 0 and at 1', () => {
    for (let trials = 1; trials < 500; trials++) {
      expect(wilsonInterval({ successes: 0, trials }).low).toBe(0);
      expect(wilsonInterval({ successes: trials, trials }).high).toBe(1);
    }
  });

  test('is everything when nothing was tried', () => {
    expect(wilsonInterval({ successes: 0, trials: 0 })).toEqual({ low: 0, high: 1 });
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
        const mirrored = wilsonInterval({ successes: trials - successes, trials });
        expect(low).toBeLessThanOrEqual(successes / trials);
        expect(high).toBeGreaterThanOrEqual(successes / trials);
        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeLessThanOrEqual(1);
        expect(low).toBeCloseTo(1 - mirrored.high, 12);
        expect(high).toBeCloseTo(1 - mirrored.low, 12);
      }),
    );
  });
});
