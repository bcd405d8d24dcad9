import { z } from 'zod';
import type { LayerInput } from '../layer-input.js';
import { stage } from '../stage.js';
import { fillRows, type Protect } from './fill-rows.js';
import { markLargest } from './largest.js';
import type { Select } from './selection.js';

const options = {
  /** Share of the important rows that go to the positions of largest deviation. */
  share: z.number().min(0).max(1).default(0.3),
};

/**
 * The recent window; of the important rows a share for the positions whose attention varies most, which are outside the
 * eviction scope, and the rest by score. Source: RoCo (arXiv 2402.06262), eviction scope by standard deviation; the
 * share is the one of its published code.
 */
export const steady = stage({
  summary: 'as top, but positions whose attention varies most cannot be evicted',
  version: 1,
  options,
  bind: ({ share }): Select => ({
    window: (budget) => budget,
    needs: () => ({ squares: true, windows: [] }),
    select: (input) => {
      const deviations = standardDeviations(input.layer);
      const protect: Protect = ({ count, ...head }) =>
        markLargest({ ...head, scores: deviations, count: Math.trunc(share * count) });
      return fillRows(input, protect);
    },
  }),
});

/** Standard deviation of the weights a position receives from the queries that can see it: [heads, length]. */
export function standardDeviations({ statistics, heads, length }: LayerInput): Float32Array {
  const sums = statistics.columnSums(length);
  const squares = statistics.columnSquares(length);
  const deviations = new Float32Array(heads * length);
  for (let i = 0; i < deviations.length; i++) {
    const queries = length - (i % length);
    const mean = sums[i]! / queries;
    // Rounding may leave the variance of constant weights below 0.
    deviations[i] = Math.sqrt(Math.max(0, squares[i]! / queries - mean * mean));
  }
  return deviations;
}
