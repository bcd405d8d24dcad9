/** Longest run numpy adds without splitting (`PW_BLOCKSIZE` in its `loops_utils.h.src`). */
const blockLength = 128;

/** Sum of `values[start, start + count)` in numpy's pairwise order. */
function pairwiseSum(values: ArrayLike<number>, start: number, count: number): number {
  if (count > blockLength) {
    const half = count >>> 1;
    const left = half - (half % 8);
    return pairwiseSum(values, start, left) + pairwiseSum(values, start + left, count - left);
  }
  let sum = 0;
  let next = 0;
  if (count >= 8) {
    const lanes = Float64Array.from({ length: 8 }, (_, lane) => values[start + lane]!);
    for (next = 8; next + 8 <= count; next += 8) {
      for (let lane = 0; lane < 8; lane++) lanes[lane]! += values[start + next + lane]!;
    }
    for (let stride = 1; stride < 8; stride *= 2) {
      for (let lane = 0; lane < 8; lane += 2 * stride) lanes[lane]! += lanes[lane + stride]!;
    }
    sum = lanes[0]!;
  }
  for (; next < count; next++) sum += values[start + next]!;
  return sum;
}

/**
 * Mean of float64 values, equal to `numpy.mean` bit for bit: the sum runs in numpy's pairwise order.
 * The mean of no values is NaN, as in numpy.
 */
export function pairwiseMean(values: ArrayLike<number>): number {
  return pairwiseSum(values, 0, values.length) / values.length;
}
