import { z } from 'zod';
import type { QueryRange } from '../../core/attention-statistics.js';
import type { RowBudget } from '../row-budget.js';
import { stage } from '../stage.js';
import type { Score } from './score.js';

const options = {
  /** Queries at the end of the prompt that vote; `recent` = as many as the budget's recent rows. */
  size: z.union([z.literal('recent'), z.int().positive()]).default(32),
  /** Width of the pooling over neighbouring keys, odd; 1 = none. */
  width: z
    .int()
    .positive()
    .refine((width) => width % 2 === 1, 'must be odd')
    .default(5),
  pooling: z.enum(['average', 'max']).default('average'),
};

/**
 * Attention of the last queries alone, pooled over neighbouring keys before the window. Averages count the zeros beyond
 * the ends, as torch's pooling does. Source: SnapKV (arXiv 2404.14469); modify_llama.py:2925.
 */
export const windowScore = stage({
  summary: 'attention received from the last queries, pooled over neighbouring keys',
  version: 1,
  options,
  bind: ({ size, width, pooling }): Score => {
    /** With no recent row the last query alone votes. */
    const rangeOf = (length: number, { recent }: RowBudget): QueryRange => {
      const queries = Math.min(length, size === 'recent' ? Math.max(1, recent) : size);
      return { from: length - queries, to: length };
    };
    return {
      needs: (length, budget) => ({ squares: false, windows: [rangeOf(length, budget)] }),
      dependsOnBudget: true,
      random: false,
      compute: ({ statistics, heads, length }, budget) => {
        const sums = statistics.windowSums(rangeOf(length, budget));
        const pool = pooling === 'average' ? averagePool : maxPool;
        const keys = Math.max(0, length - budget.recent);
        const scores = new Float32Array(heads * length);
        for (let head = 0; head < heads; head++) {
          const own = sums.subarray(head * length, head * length + keys);
          pool(own, width, scores.subarray(head * length, head * length + keys));
        }
        return scores;
      },
    };
  },
});

function averagePool(values: Float32Array, width: number, pooled: Float32Array): void {
  const reach = (width - 1) / 2;
  for (let i = 0; i < values.length; i++) {
    let sum = 0;
    const last = Math.min(values.length - 1, i + reach);
    for (let j = Math.max(0, i - reach); j <= last; j++) sum += values[j]!;
    pooled[i] = sum / width;
  }
}

function maxPool(values: Float32Array, width: number, pooled: Float32Array): void {
  const reach = (width - 1) / 2;
  for (let i = 0; i < values.length; i++) {
    let largest = values[i]!;
    const last = Math.min(values.length - 1, i + reach);
    for (let j = Math.max(0, i - reach); j <= last; j++) if (values[j]! > largest) largest = values[j]!;
    pooled[i] = largest;
  }
}
