import type { MergeRule } from './merge-rule.js';

/** What a pairing adds to each conserved row. */
export interface RowSums {
  /** [heads, rows]: how many tokens. */
  readonly counts: Int32Array;
  /** [heads, rows, headDim]: their weighted sum. */
  readonly keys: Float32Array;
  readonly values: Float32Array;
}

/** Floats folded in one step of the fast loop. */
const stepFloats = 4;

/**
 * Folds sums into copies of conserved rows as the rule says; rows that nothing is added to are copied as they are, and
 * so is what lies beyond the rows. Single precision throughout.
 */
export function foldRows({
  heads,
  headDim,
  rows,
  capacity,
  source,
  target,
  counts,
  sums,
  rule,
}: {
  readonly heads: number;
  readonly headDim: number;
  readonly rows: number;
  readonly capacity: number;
  /** [heads, capacity, headDim]: conserved keys or values. */
  readonly source: Float32Array;
  /** As `source`; written. */
  readonly target: Float32Array;
  /** [heads, rows]. */
  readonly counts: Int32Array;
  /** [heads, rows, headDim]. */
  readonly sums: Float32Array;
  readonly rule: MergeRule;
}): void {
  target.set(source);
  const fold = headDim % stepFloats === 0 ? foldInSteps : foldOneByOne;
  for (let head = 0; head < heads; head++) {
    for (let row = 0; row < rows; row++) {
      const n = counts[head * rows + row]!;
      if (n === 0) continue;
      const at = (head * capacity + row) * headDim;
      const from = (head * rows + row) * headDim;
      fold(target, at, sums, from, headDim, Math.fround(rule.own(n)), Math.fround(rule.others(n)));
    }
  }
}

type Fold = (
  target: Float32Array,
  at: number,
  sums: Float32Array,
  from: number,
  count: number,
  own: number,
  others: number,
) => void;

const foldInSteps: Fold = (target, at, sums, from, count, own, others) => {
  const single = Math.fround;
  let to = at;
  let next = from;
  for (const end = at + count; to < end; to += stepFloats, next += stepFloats) {
    target[to] = single(single(target[to]! * own) + single(sums[next]! * others));
    target[to + 1] = single(single(target[to + 1]! * own) + single(sums[next + 1]! * others));
    target[to + 2] = single(single(target[to + 2]! * own) + single(sums[next + 2]! * others));
    target[to + 3] = single(single(target[to + 3]! * own) + single(sums[next + 3]! * others));
  }
};

const foldOneByOne: Fold = (target, at, sums, from, count, own, others) => {
  const single = Math.fround;
  for (let d = 0; d < count; d++) {
    target[at + d] = single(single(target[at + d]! * own) + single(sums[from + d]! * others));
  }
};
