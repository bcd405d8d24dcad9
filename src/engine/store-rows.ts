import { asPairs, copyPairs, pairStep } from '../core/float-pairs.js';

/** Where a chunk of rows goes in a head-major buffer. */
export interface RowPlacement {
  /** First row of the chunk in the buffer, and how many there are. */
  readonly start: number;
  readonly count: number;
  readonly heads: number;
  readonly headDim: number;
  /** Rows the buffer has per head. */
  readonly capacity: number;
}

/** Moves token-major rows [count, heads * headDim] into a head-major buffer [heads, capacity, headDim]. */
export function storeRows(buffer: Float32Array, rows: Float32Array, at: RowPlacement): void {
  const inSteps = at.headDim % pairStep === 0;
  const bufferPairs = inSteps ? asPairs(buffer) : null;
  const rowPairs = inSteps ? asPairs(rows) : null;
  if (bufferPairs === null || rowPairs === null) storeOneByOne(buffer, rows, at);
  else storePairs(bufferPairs, rowPairs, at);
}

function storePairs(buffer: Float64Array, rows: Float64Array, at: RowPlacement): void {
  const { start, count, heads, headDim, capacity } = at;
  const width = headDim / 2;
  for (let head = 0; head < heads; head++) {
    const to = (head * capacity + start) * width;
    for (let row = 0; row < count; row++) {
      copyPairs(buffer, to + row * width, rows, (row * heads + head) * width, width);
    }
  }
}

function storeOneByOne(buffer: Float32Array, rows: Float32Array, at: RowPlacement): void {
  const { start, count, heads, headDim, capacity } = at;
  for (let head = 0; head < heads; head++) {
    let to = (head * capacity + start) * headDim;
    for (let row = 0; row < count; row++) {
      const from = (row * heads + head) * headDim;
      for (let d = 0; d < headDim; d++) buffer[to++] = rows[from + d]!;
    }
  }
}
