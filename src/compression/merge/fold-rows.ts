import type { MergeRule } from './merge-rule.js';

/** What a pairing adds to each conserved row. */
export interface RowSums {
  /** [heads, rows]: how many tokens. */
  readonly counts: Int32Array;
  /** [heads, rows, headDim]: their weighted sum. */
  readonly keys: Float32Array;
  readonly values: Float32Array;
}

/**
 * Folds sums into conserved rows as the rule says, in place; rows that nothing is added to stay as they are.
 *
 * @param options.keys [heads, capacity, headDim], as `values`
 */
export function foldRows(options: {
  readonly heads: number;
  readonly headDim: number;
  readonly rows: number;
  readonly capacity: number;
  readonly keys: Float32Array;
  readonly values: Float32Array;
  readonly rule: MergeRule;
  readonly sums: RowSums;
}): void {
  const { heads, headDim, rows, capacity, rule, sums } = options;
  for (let head = 0; head < heads; head++) {
    for (let row = 0; row < rows; row++) {
      const n = sums.counts[head * rows + row]!;
      if (n === 0) continue;
      const at = {
        to: (head * capacity + row) * headDim,
        from: (head * rows + row) * headDim,
        width: headDim,
      };
      const share = { own: rule.own(n), others: rule.others(n) };
      foldRow(options.keys, sums.keys, at, share);
      foldRow(options.values, sums.values, at, share);
    }
  }
}

function foldRow(
  target: Float32Array,
  sums: Float32Array,
  { to, from, width }: { to: number; from: number; width: number },
  { own, others }: { own: number; others: number },
): void {
  const single = Math.fround;
  const [a, b] = [single(own), single(others)];
  for (let d = 0; d < width; d++) {
    target[to + d] = single(single(target[to + d]! * a) + single(sums[from + d]! * b));
  }
}
