/** Inputs of causal attention, head-major. */
export interface AttentionReference {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly length: number;
  /** [heads, length, headDim]. */
  readonly queries: Float32Array;
  /** [kvHeads, length, headDim]. */
  readonly keys: Float32Array;
  /** [kvHeads, length, headDim]. */
  readonly values: Float32Array;
}

/**
 * Causal attention of the queries `from..to-1` in float64, straight from the formula: the slow path that the
 * kernels are compared with.
 *
 * @returns attention token-major [to - from, heads * headDim]; column sums and sums of squared weights [heads, to]
 */
export function referenceAttention(
  inputs: AttentionReference,
  { from, to }: { from: number; to: number },
): { attention: Float64Array; columnSums: Float64Array; columnSquares: Float64Array } {
  const { heads, kvHeads, headDim, length, queries, keys, values } = inputs;
  const attention = new Float64Array((to - from) * heads * headDim);
  const columnSums = new Float64Array(heads * to);
  const columnSquares = new Float64Array(heads * to);
  for (let head = 0; head < heads; head++) {
    const kvHead = Math.floor((head * kvHeads) / heads);
    for (let q = from; q < to; q++) {
      const weights = new Float64Array(q + 1);
      let largest = Number.NEGATIVE_INFINITY;
      for (let k = 0; k <= q; k++) {
        let dot = 0;
        for (let d = 0; d < headDim; d++) {
          dot += queries[(head * length + q) * headDim + d]! * keys[(kvHead * length + k) * headDim + d]!;
        }
        weights[k] = dot / Math.sqrt(headDim);
        largest = Math.max(largest, weights[k]!);
      }
      let total = 0;
      for (let k = 0; k <= q; k++) {
        weights[k] = Math.exp(weights[k]! - largest);
        total += weights[k]!;
      }
      for (let k = 0; k <= q; k++) {
        const weight = weights[k]! / total;
        columnSums[head * to + k]! += weight;
        columnSquares[head * to + k]! += weight * weight;
        for (let d = 0; d < headDim; d++) {
          attention[((q - from) * heads + head) * headDim + d]! +=
            weight * values[(kvHead * length + k) * headDim + d]!;
        }
      }
    }
  }
  return { attention, columnSums, columnSquares };
}
