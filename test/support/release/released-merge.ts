/** One head before the merge, rows by position, and which of them stay. */
export interface MergingHead {
  /** [length][headDim]. */
  readonly keys: readonly (readonly number[])[];
  readonly values: readonly (readonly number[])[];
  readonly kept: readonly number[];
  readonly evicted: readonly number[];
}

export type ReleasedMerge = 'average' | 'weighted' | 'pivotal';

export interface ReleasedResult {
  /** [heads][rows][headDim]. */
  readonly keys: readonly (readonly number[])[][];
  readonly values: readonly (readonly number[])[][];
  /** Evicted tokens, by their order, that pass the filter. */
  readonly mask: readonly boolean[];
  /** How close a decision is to a tie, a filtered token's or a target's. */
  readonly margin: number;
}

const norm = (row: readonly number[]): number => Math.sqrt(row.reduce((sum, x) => sum + x * x, 0));
const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;

/** A row over its length, NaN where it has none. */
const direction = (row: readonly number[]): number[] => row.map((x) => x / norm(row));

/** As torch: NaN is the largest, the first of equals is taken. */
function largestOf(values: readonly number[]): number {
  const undefinedAt = values.findIndex(Number.isNaN);
  return undefinedAt >= 0 ? undefinedAt : values.indexOf(Math.max(...values));
}

/** The published merges as they are written there: similarities, a mask for all heads, and a mean of what is scattered. */
export function releasedMerge(heads: readonly MergingHead[], rule: ReleasedMerge): ReleasedResult {
  const nearest = heads.map(({ keys, kept, evicted }) =>
    evicted.map((position) => {
      const own = direction(keys[position]!);
      const similarities = kept.map((one) =>
        direction(keys[one]!).reduce((sum, x, d) => sum + x * own[d]!, 0),
      );
      const target = largestOf(similarities);
      const second = Math.max(...similarities.filter((_, row) => row !== target));
      return { target, similarity: similarities[target]!, gap: similarities[target]! - second };
    }),
  );
  const threshold = mean(nearest.flat().map(({ similarity }) => similarity));
  const columns = heads[0]!.evicted.map((_, e) => mean(nearest.map((head) => head[e]!.similarity)));
  const mask = columns.map((column) => rule === 'pivotal' || column >= threshold);
  const margins = [
    ...nearest.flat().map(({ gap }) => gap),
    ...(rule === 'pivotal' ? [] : columns.map((column) => Math.abs(column - threshold))),
  ];
  const scattered = (of: 'keys' | 'values'): (readonly number[])[][] =>
    heads.map((head, h) => {
      const targets = nearest[h]!.filter((_, e) => mask[e]);
      const passing = head.evicted.filter((_, e) => mask[e]);
      // The published average filters the targets and forgets the tokens: the r-th target gets evicted row r.
      const sources = rule === 'average' ? head.evicted.slice(0, targets.length) : passing;
      return head.kept.map((position, row) => {
        const own = head[of][position]!;
        const added = targets.flatMap(({ target, similarity }, r) => {
          const source = head[of][sources[r]!]!;
          if (target !== row) return [];
          if (rule === 'weighted') return [source.map((x) => similarity * x)];
          return [rule === 'average' ? source : source.map((x, d) => (x + own[d]!) / 2)];
        });
        return own.map((x, d) => added.reduce((sum, addend) => sum + addend[d]!, x) / (1 + added.length));
      });
    });
  const margin = Math.min(...margins.filter((gap) => !Number.isNaN(gap)));
  return { keys: scattered('keys'), values: scattered('values'), mask, margin };
}
