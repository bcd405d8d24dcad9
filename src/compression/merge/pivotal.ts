import type { MergeRule } from './merge-evicted.js';

/**
 * Pivotal merging: a conserved row becomes the mean of itself and, for every evicted token x assigned to it, the
 * midpoint between x and the row. With n tokens of sum S that is (row * (1 + n/2) + S/2) / (1 + n); the sum is
 * all that has to be gathered. Rows nobody was assigned to are left untouched.
 * Source: LOOK-M, pivotal merging; modify_llama.py, pivot merge.
 */
export const mergePivotal: MergeRule = ({ rows, rowCount, headDim, source, evicted, targets, sums }) => {
  const counts = new Int32Array(rowCount);
  sums.fill(0, 0, rowCount * headDim);
  for (let e = 0; e < evicted.length; e++) {
    const target = targets[e]!;
    const from = evicted[e]! * headDim;
    const to = target * headDim;
    counts[target]!++;
    for (let d = 0; d < headDim; d++) sums[to + d]! += source[from + d]!;
  }
  for (let row = 0; row < rowCount; row++) {
    const n = counts[row]!;
    if (n === 0) continue;
    const own = (1 + n / 2) / (1 + n);
    const others = 0.5 / (1 + n);
    for (let i = row * headDim; i < (row + 1) * headDim; i++) rows[i] = rows[i]! * own + sums[i]! * others;
  }
};
