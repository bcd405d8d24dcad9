/** Positions of one tier, shared by all heads of a layer. */
export interface Candidates {
  readonly positions: Int32Array;
  readonly count: number;
}

/**
 * Marks the `count` candidates of largest score and returns how many it marked; equal scores go to the lower position.
 * A candidate that is marked already is passed over.
 */
export function markLargest(options: {
  readonly scores: Float32Array;
  /** Offset of position 0 inside `scores`. */
  readonly offset: number;
  /** Ascending. */
  readonly candidates: Candidates;
  readonly count: number;
  /** 1 where a position is marked; gets the new marks. */
  readonly marked: Uint8Array;
  /** At least as long as there are candidates. */
  readonly scratch: Float32Array;
}): number {
  const { scores, offset, candidates, marked, scratch } = options;
  const { positions } = candidates;
  let open = 0;
  for (let i = 0; i < candidates.count; i++) {
    const position = positions[i]!;
    if (marked[position] === 0) scratch[open++] = scores[offset + position]!;
  }
  const count = Math.min(options.count, open);
  if (count <= 0) return 0;
  const threshold = nthLargest(scratch, open, count);
  let ties = count;
  for (let i = 0; i < open; i++) if (scratch[i]! > threshold) ties--;
  for (let i = 0; i < candidates.count; i++) {
    const position = positions[i]!;
    if (marked[position] === 1) continue;
    const score = scores[offset + position]!;
    if (score > threshold) marked[position] = 1;
    else if (score === threshold && ties > 0) {
      marked[position] = 1;
      ties--;
    }
  }
  return count;
}

/** The n-th largest (1-based) of `values[0..length)`, which is reordered. Hoare's selection, middle pivots. */
function nthLargest(values: Float32Array, length: number, n: number): number {
  let low = 0;
  let high = length - 1;
  const wanted = n - 1;
  while (low < high) {
    const pivot = values[(low + high) >>> 1]!;
    let i = low;
    let j = high;
    while (i <= j) {
      while (values[i]! > pivot) i++;
      while (values[j]! < pivot) j--;
      if (i <= j) {
        const swap = values[i]!;
        values[i++] = values[j]!;
        values[j--] = swap;
      }
    }
    if (wanted <= j) high = j;
    else if (wanted >= i) low = i;
    else break;
  }
  return values[wanted]!;
}
