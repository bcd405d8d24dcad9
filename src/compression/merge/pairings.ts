import type { Assignment } from './assignment.js';
import type { Pairing, PairRule } from './merge-rule.js';

/** Every evicted token to its target. */
export const plainPairs: PairRule = {
  name: 'plain',
  pair: ({ evictedRows, evicted, targets }) => ({
    pairs: evictedRows,
    positions: evicted,
    targets,
    weights: null,
  }),
};

/** Every evicted token to its target, weighted by their similarity; a key without length has none. */
export const similarPairs: PairRule = {
  name: 'similar',
  pair: (assignment) => ({
    ...plainPairs.pair(assignment),
    weights: assignment.similarities.map((value) => (Number.isNaN(value) ? 0 : value)),
  }),
};

/**
 * Every evicted token to its target as the release finds it: a conserved key without length has the similarity NaN to
 * all, which torch takes for the largest, so the first such row of a head gets all of its evicted tokens. An evicted key
 * without length is NaN to every row and goes to the first of all.
 */
export const releasedPairs: PairRule = {
  name: 'released',
  pair: (assignment) => {
    const { evictedRows, evicted, norms, layer } = assignment;
    const lengthless = assignment.lengthlessRows();
    const plain = plainPairs.pair(assignment);
    if (lengthless.every((row) => row === -1)) return plain;
    const targets = plain.targets.map((target, e) => {
      const head = Math.floor(e / evictedRows);
      const row = lengthless[head]!;
      if (row === -1) return target;
      return norms[head * layer.length + evicted[e]!] === 0 ? 0 : row;
    });
    return { ...plain, targets };
  },
};

/** Column `columns[i]` of every head of [heads, width], into [heads, columns.length]. */
function pick<T extends Int32Array | Float32Array>(all: T, width: number, columns: Int32Array, into: T): T {
  let next = 0;
  for (let from = 0; next < into.length; from += width) {
    for (let i = 0; i < columns.length; i++) into[next++] = all[from + columns[i]!]!;
  }
  return into;
}

function filtered(
  { layer, evictedRows, targets }: Assignment,
  columns: Int32Array,
): Pick<Pairing, 'pairs' | 'targets'> {
  const into = new Int32Array(layer.heads * columns.length);
  return { pairs: columns.length, targets: pick(targets, evictedRows, columns, into) };
}

/** The filtered tokens, weighted by their similarity. Source: modify_llama.py, weighted merge. */
export const filteredSimilarPairs: PairRule = {
  name: 'filtered similar',
  pair: (assignment) => {
    const { evicted, evictedRows, similarities, passing: columns } = assignment;
    const pairs = filtered(assignment, columns);
    const size = pairs.targets.length;
    return {
      ...pairs,
      positions: pick(evicted, evictedRows, columns, new Int32Array(size)),
      weights: pick(similarities, evictedRows, columns, new Float32Array(size)),
    };
  },
};

/**
 * The release's average merge filters the targets but not the tokens: the r-th target that passes gets the r-th evicted
 * token of all. Source: modify_llama.py:411, 413, 513, 515.
 */
export const mispaired: PairRule = {
  name: 'mispaired',
  pair: (assignment) => {
    const { evicted, evictedRows, passing: columns } = assignment;
    const pairs = filtered(assignment, columns);
    const first = columns.map((_, i) => i);
    const positions = pick(evicted, evictedRows, first, new Int32Array(pairs.targets.length));
    return { ...pairs, positions, weights: null };
  },
};
