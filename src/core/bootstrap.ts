import { invariant } from './errors.js';
import type { Interval } from './interval.js';
import { seededRandom } from './seeded-random.js';

/** A bound of a 95 % interval then varies by a sixtieth of its width from seed to seed (standard deviation). */
const defaultResamples = 2000;

/**
 * Means of resamples with replacement (Efron 1979) of several series over the same samples: a resample draws its
 * positions once and applies them to every series, so that differences of the results are those of paired resamples.
 * `series`: [series][count], one count for all. Returns [series][resamples]; NaN where count is 0.
 */
export function resampledMeans({
  series,
  seed,
  resamples = defaultResamples,
}: {
  readonly series: readonly Float64Array[];
  readonly seed: number;
  readonly resamples?: number;
}): Float64Array[] {
  const count = series[0]?.length ?? 0;
  invariant(
    series.every(({ length }) => length === count),
    'series to be resampled together differ in length',
  );
  const random = seededRandom(seed);
  const positions = new Uint32Array(count);
  const means = series.map(() => new Float64Array(resamples));
  for (let resample = 0; resample < resamples; resample++) {
    for (let draw = 0; draw < count; draw++) positions[draw] = random() * count;
    for (let i = 0; i < series.length; i++) means[i]![resample] = sumAt(series[i]!, positions) / count;
  }
  return means;
}

/** Sum of the values at the positions; four sums at once, as one would wait for every addition. */
function sumAt(values: Float64Array, positions: Uint32Array): number {
  const count = positions.length;
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    a += values[positions[i]!]!;
    b += values[positions[i + 1]!]!;
    c += values[positions[i + 2]!]!;
    d += values[positions[i + 3]!]!;
  }
  for (; i < count; i++) a += values[positions[i]!]!;
  return a + b + (c + d);
}

/** The value that a share of the sorted values lies below, by straight line between neighbours (numpy's `linear`). */
function quantile(sorted: Float64Array, share: number): number {
  const position = share * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (position - below) * (sorted[above]! - sorted[below]!);
}

/** The middle `level` of resampled statistics. */
export function percentileInterval(resampled: Float64Array, level = 0.95): Interval {
  const sorted = resampled.slice().sort();
  const tail = (1 - level) / 2;
  return { low: quantile(sorted, tail), high: quantile(sorted, 1 - tail) };
}

/**
 * Percentile bootstrap interval of a mean, 95 % unless another `level` is given: the same on every machine and for
 * every order of the values. One value is its own interval; of no values both bounds are NaN.
 */
export function bootstrapInterval({
  values,
  seed,
  resamples = defaultResamples,
  level = 0.95,
}: {
  readonly values: ArrayLike<number>;
  readonly seed: number;
  readonly resamples?: number;
  readonly level?: number;
}): Interval {
  const series = [Float64Array.from(values).sort()];
  return percentileInterval(resampledMeans({ series, seed, resamples })[0]!, level);
}
