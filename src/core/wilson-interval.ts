import type { Interval } from './interval.js';

/** Two-sided 95 % quantile of the standard normal distribution. */
const quantile95 = 1.959963984540054;

/**
 * Wilson score interval of a proportion (Wilson 1927), 95 % unless another normal `quantile` is given; bounds in [0, 1].
 * `successes` may be fractional (a sum of scores in [0, 1]); the interval is then wider than the scores need.
 * Without trials nothing is known: [0, 1].
 */
export function wilsonInterval({
  successes,
  trials,
  quantile = quantile95,
}: {
  readonly successes: number;
  readonly trials: number;
  readonly quantile?: number;
}): Interval {
  if (trials === 0) return { low: 0, high: 1 };
  const share = successes / trials;
  const square = quantile * quantile;
  const scale = 1 + square / trials;
  const centre = (share + square / (2 * trials)) / scale;
  const spread =
    (quantile / scale) * Math.sqrt((share * (1 - share)) / trials + square / (4 * trials * trials));
  const low = successes === 0 ? 0 : Math.max(0, centre - spread);
  return { low, high: successes === trials ? 1 : Math.min(1, centre + spread) };
}
