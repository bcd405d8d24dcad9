import { describe, expect, it } from 'vitest';
import { medianInterval } from '../../src/core/median-interval.js';
import { seededRandom } from '../../src/core/seeded-random.js';

describe('the interval of a median', () => {
  it('is the same for the same seed, and holds the median', () => {
    const strata = [[1, 2, 3, 4, 5, 6, 7]];
    const interval = medianInterval({ strata, seed: 1 })!;
    expect(medianInterval({ strata, seed: 1 })).toEqual(interval);
    expect(interval.low).toBeLessThan(4);
    expect(interval.high).toBeGreaterThan(4);
  });

  it('of equal values is a point', () => {
    expect(medianInterval({ strata: [[2, 2], [2]], seed: 1 })).toEqual({ low: 2, high: 2 });
  });

  it('does not exist where no stratum has two values', () => {
    expect(medianInterval({ strata: [[1], [2], [3]], seed: 1 })).toBeNull();
    expect(medianInterval({ strata: [], seed: 1 })).toBeNull();
  });

  it('draws every stratum as often as it has values, so that strata that differ do not widen it', () => {
    const low = Array.from({ length: 20 }, () => 1);
    const high = Array.from({ length: 21 }, () => 100);
    expect(medianInterval({ strata: [low, high], seed: 1 })).toEqual({ low: 100, high: 100 });
    const mixed = medianInterval({ strata: [[...low, ...high]], seed: 1 })!;
    expect(mixed.low).toBe(1);
  });

  it('holds the true median of a uniform sample about 95 times of 100', () => {
    const random = seededRandom(8);
    let held = 0;
    for (let trial = 0; trial < 400; trial++) {
      const values = Array.from({ length: 15 }, () => random());
      const { low, high } = medianInterval({ strata: [values], seed: trial, resamples: 400 })!;
      if (low <= 0.5 && high >= 0.5) held++;
    }
    expect(held / 400).toBeGreaterThan(0.9);
    expect(held / 400).toBeLessThan(0.99);
  });
});
