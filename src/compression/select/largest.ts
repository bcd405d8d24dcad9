/**
 * Marks the `count` largest of `scores[from..to)` among the positions where `eligible` is 1 (all when it is
 * null); equal scores go to the lower position. Writes 1 into `chosen` and returns how many it marked.
 */
export function markLargest(options: {
  scores: Float32Array;
  from: number;
  to: number;
  /** Offset of position 0 inside `scores`. */
  offset: number;
  count: number;
  eligible: Uint8Array | null;
  chosen: Uint8Array;
  /** At least `to - from` floats. */
  scratch: Float32Array;
}): number {
  const { scores, from, to, offset, eligible, chosen, scratch } = options;
  let candidates = 0;
  for (let i = from; i < to; i++) {
    if (eligible === null || eligible[i] === 1) scratch[candidates++] = scores[offset + i]!;
  }
  const count = Math.min(options.count, candidates);
  if (count <= 0) return 0;
  const threshold = nthLargest(scratch, candidates, count);
  let above = 0;
  for (let i = 0; i < candidates; i++) if (scratch[i]! > threshold) above++;
  let ties = count - above;
  for (let i = from; i < to; i++) {
    if (eligible !== null && eligible[i] !== 1) continue;
    const score = scores[offset + i]!;
    if (score > threshold) chosen[i] = 1;
    else if (score === threshold && ties > 0) {
      chosen[i] = 1;
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
