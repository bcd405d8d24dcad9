import { percentileInterval } from './bootstrap.js';
import type { Interval } from './interval.js';
import { median } from './median.js';
import { seededRandom } from './seeded-random.js';

/** As for means: a bound then varies little from seed to seed. */
const defaultResamples = 2000;

/**
 * Percentile bootstrap interval (95 %) of the median of all values together. Every stratum is resampled within itself,
 * so the interval speaks of the strata at hand: of other repeats, not of other samples. `null` where no stratum has two
 * values, which says nothing of their spread.
 */
export function medianInterval({
  strata,
  seed,
  resamples = defaultResamples,
}: {
  readonly strata: readonly (readonly number[])[];
  readonly seed: number;
  readonly resamples?: number;
}): Interval | null {
  if (strata.every((values) => values.length < 2)) return null;
  const random = seededRandom(seed);
  const drawn = new Float64Array(strata.reduce((sum, { length }) => sum + length, 0));
  const medians = Float64Array.from({ length: resamples }, () => {
    let i = 0;
    for (const values of strata) {
      for (let draw = 0; draw < values.length; draw++) {
        drawn[i++] = values[Math.floor(random() * values.length)]!;
      }
    }
    return median(drawn);
  });
  return percentileInterval(medians);
}
