import { dot } from './attention-weights.js';

/** How evicted tokens change the row they are merged into. */
export type MergeName = 'average' | 'pivotal' | 'weighted';

/** Rows of one head by position: `[position][headDim]`. */
export interface HeadRows {
  readonly keys: readonly number[][];
  readonly values: readonly number[][];
}

export interface Merged extends HeadRows {
  /** Smallest difference between the best similarity of an evicted token and its second best. */
  readonly margin: number;
}

function cosine(a: readonly number[], b: readonly number[]): number {
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

/** Evicted tokens merged into their nearest conserved keys, equations 7 and 8, then the rule. */
export function mergeEvicted(rows: HeadRows, kept: readonly number[], rule: MergeName): Merged {
  const evicted = rows.keys.map((_, position) => position).filter((position) => !kept.includes(position));
  let margin = Number.POSITIVE_INFINITY;
  const nearest = evicted.map((position) => {
    const similarities = kept.map((one) => cosine(rows.keys[position]!, rows.keys[one]!));
    const similarity = Math.max(...similarities);
    const row = similarities.indexOf(similarity);
    const second = Math.max(...similarities.filter((_, other) => other !== row));
    margin = Math.min(margin, similarity - second);
    return { position, row, similarity };
  });
  const mergedRows = (source: readonly number[][]): number[][] =>
    kept.map((position, row) => {
      const own = source[position]!;
      const assigned = nearest.filter((one) => one.row === row);
      const added = assigned.map((one) => contribution(rule, own, source[one.position]!, one.similarity));
      return own.map(
        (value, d) => added.reduce((sum, addend) => sum + addend[d]!, value) / (assigned.length + 1),
      );
    });
  return { keys: mergedRows(rows.keys), values: mergedRows(rows.values), margin };
}

function contribution(
  rule: MergeName,
  own: readonly number[],
  evicted: readonly number[],
  similarity: number,
): number[] {
  switch (rule) {
    case 'average':
      return [...evicted];
    case 'pivotal':
      return evicted.map((value, d) => (value + own[d]!) / 2);
    case 'weighted':
      return evicted.map((value) => similarity * value);
  }
}
