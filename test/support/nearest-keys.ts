import type { NearestKeySearch } from '../../src/compression/merge/nearest-key.js';

/** Nearest keys by the formula, in float64: cosine similarity, lowest row on ties, 0 to a key without length. */
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
        const cosine = squareE === 0 || squareC === 0 ? 0 : dot / Math.sqrt(squareE * squareC);
        if (cosine > best) {
          best = cosine;
          found[head * evicted.rows + e] = c;
        }
      }
    }
  }
  return found;
};
