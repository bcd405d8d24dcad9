/** What the oracle knows of a prompt: one layer's queries, keys and values, head-major. */
export interface OraclePrompt {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  /** Rows stored per head. */
  readonly length: number;
  readonly queries: Float32Array;
  readonly keys: Float32Array;
  readonly values: Float32Array;
  /** [length], 1 where the position is an image token. */
  readonly modality: Uint8Array;
}

/** Row `position` of [heads, length, headDim]. */
export function rowOf(
  data: Float32Array,
  at: {
    readonly head: number;
    readonly position: number;
    readonly length: number;
    readonly headDim: number;
  },
): number[] {
  const from = (at.head * at.length + at.position) * at.headDim;
  return Array.from(data.subarray(from, from + at.headDim));
}

export function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, d) => sum + value * b[d]!, 0);
}

/**
 * A_p = softmax(Q K^T / sqrt(d)), causal, of the first `seen` tokens, in float64. `weights[query][key]` of one query head;
 * keys that a query cannot see are not there.
 */
function weightsOfHead(prompt: OraclePrompt, head: number, seen: number): number[][] {
  const { heads, kvHeads, headDim, length, queries, keys } = prompt;
  const keyHead = Math.floor(head / (heads / kvHeads));
  const keyRows = Array.from({ length: seen }, (_, position) =>
    rowOf(keys, { head: keyHead, position, length, headDim }),
  );
  return Array.from({ length: seen }, (_, position) => {
    const query = rowOf(queries, { head, position, length, headDim });
    const logits = keyRows.slice(0, position + 1).map((key) => dot(query, key) / Math.sqrt(headDim));
    const largest = Math.max(...logits);
    const powers = logits.map((logit) => Math.exp(logit - largest));
    const total = powers.reduce((sum, power) => sum + power, 0);
    return powers.map((power) => power / total);
  });
}

/** Weights of every query head that shares a key/value head: `[kvHead][member][query][key]`. */
export function attentionWeights(prompt: OraclePrompt, seen: number): number[][][][] {
  const group = prompt.heads / prompt.kvHeads;
  return Array.from({ length: prompt.kvHeads }, (_, kvHead) =>
    Array.from({ length: group }, (_, member) => weightsOfHead(prompt, kvHead * group + member, seen)),
  );
}
