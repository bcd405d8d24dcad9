import type { NearestKeySearch } from '../../src/compression/merge/nearest-key.js';

/** Nearest keys by the formula, in float64: cosine similarity, lowest row on ties. */
export const referenceNearestKeys: NearestKeySearch = async ({ heads, headDim, evicted, conserved }) => {
  const found = new Int32Array(heads * evicted.rows);
  for (let head = 0; head < heads; head++) {
    for (let e = 0; e < evicted.rows; e++) {
      let best = Number.NEGATIVE_INFINITY;
      for (let c = 0; c < conserved.rows; c++) {
        let dot = 0;
        let squareE = 0;
        let squareC = 0;
        for (let d = 0; d < headDim; d++) {
          const x = evicted.data[(head * evicted.rows + e) * headDim + d]!;
          const y = conserved.data[(head * conserved.rows + c) * headDim + d]!;
          dot += x * y;
          squareE += x * x;
          squareC += y * y;
        }
        const cosine = dot / Math.sqrt(squareE * squareC);
        if (cosine > best) {
          best = cosine;
          found[head * evicted.rows + e] = c;
        }
      }
    }
  }
  return found;
};

/** Positions a head conserves, by sorting: the slow statement of what selection means. */
export function referenceKept(options: {
  scores: readonly number[];
  text: readonly boolean[] | null;
  recent: number;
  important: number;
}): number[] {
  const { scores, text, recent, important } = options;
  const window = scores.length - recent;
  const candidates = scores.slice(0, window).map((score, position) => ({ score, position }));
  const always = candidates.filter(({ position }) => text?.[position] === true);
  const ranked = candidates
    .filter(({ position }) => text?.[position] !== true)
    .sort((a, b) => b.score - a.score || a.position - b.position);
  const chosen = [...always, ...ranked.slice(0, Math.max(0, important - always.length))];
  const positions = chosen.map(({ position }) => position).sort((a, b) => a - b);
  for (let i = window; i < scores.length; i++) positions.push(i);
  return positions;
}

/** Pivotal merge of one head by its definition, term by term. */
export function referencePivotalMerge(options: {
  /** Rows before eviction, [length][headDim]. */
  source: readonly (readonly number[])[];
  kept: readonly number[];
  evicted: readonly number[];
  targets: readonly number[];
}): number[][] {
  const { source, kept, evicted, targets } = options;
  return kept.map((position, row) => {
    const pivot = source[position]!;
    const midpoints = evicted
      .filter((_, e) => targets[e] === row)
      .map((from) => source[from]!.map((value, d) => (value + pivot[d]!) / 2));
    return pivot.map(
      (value, d) =>
        [value, ...midpoints.map((point) => point[d]!)].reduce((a, b) => a + b, 0) / (1 + midpoints.length),
    );
  });
}
