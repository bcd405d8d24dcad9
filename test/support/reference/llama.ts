import { add, attentionWeights, linear, type ReferenceWeights, type Rows, rmsNorm } from './rows.js';

export interface LlamaSizes {
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly eps: number;
  readonly ropeTheta: number;
}

/** What a prefill leaves behind. */
export interface ReferencePrefill {
  /** Keys and values of every layer, [token][kvHeads * headDim]. */
  readonly keys: Rows[];
  readonly values: Rows[];
  /** Of every layer, attention weights summed over all queries: [kvHeads][token], averaged where heads share keys. */
  readonly columnSums: Rows[];
  /** Of the last row. */
  readonly logits: Float64Array;
}

/** A Llama prefill as the formulas read, in float64, token by token and head by head. */
export function referenceLlama(
  weights: ReferenceWeights,
  { prefix, head: headName }: { readonly prefix: string; readonly head: string },
  embeddings: readonly Float64Array[],
  sizes: LlamaSizes,
): ReferencePrefill {
  const { headDim, eps, ropeTheta } = sizes;
  const result = { keys: [] as Rows[], values: [] as Rows[], columnSums: [] as Rows[] };
  let hidden: Rows = embeddings.map((row) => Float64Array.from(row));
  for (let layer = 0; layer < sizes.layers; layer++) {
    const name = `${prefix}layers.${layer}.`;
    const input = rmsNorm(weights, hidden, `${name}input_layernorm.weight`, eps);
    const turn = (rows: Rows): Rows => rows.map((row, t) => rotate(row, t, headDim, ropeTheta));
    const q = turn(linear(weights, input, `${name}self_attn.q_proj.weight`));
    const k = turn(linear(weights, input, `${name}self_attn.k_proj.weight`));
    const v = linear(weights, input, `${name}self_attn.v_proj.weight`);
    const { attended, columnSums } = attendBefore(q, k, v, sizes);
    result.keys.push(k);
    result.values.push(v);
    result.columnSums.push(columnSums);
    hidden = add(hidden, linear(weights, attended, `${name}self_attn.o_proj.weight`));
    const inner = rmsNorm(weights, hidden, `${name}post_attention_layernorm.weight`, eps);
    const gate = linear(weights, inner, `${name}mlp.gate_proj.weight`);
    const up = linear(weights, inner, `${name}mlp.up_proj.weight`);
    const product = gate.map((row, t) => row.map((x, i) => (x / (1 + Math.exp(-x))) * up[t]![i]!));
    hidden = add(hidden, linear(weights, product, `${name}mlp.down_proj.weight`));
  }
  const last = rmsNorm(weights, hidden.slice(-1), `${prefix}norm.weight`, eps);
  return { ...result, logits: linear(weights, last, headName)[0]! };
}

/** Attention of every token to itself and those before it. */
function attendBefore(
  q: Rows,
  k: Rows,
  v: Rows,
  { heads, kvHeads, headDim: size }: LlamaSizes,
): { attended: Rows; columnSums: Rows } {
  const shared = heads / kvHeads;
  const columnSums = Array.from({ length: kvHeads }, () => new Float64Array(k.length));
  const attended = q.map((row, t) => {
    const out = new Float64Array(row.length);
    for (let head = 0; head < heads; head++) {
      const kv = Math.floor(head / shared);
      const at = { query: head * size, key: kv * size, size };
      for (const [s, weight] of attentionWeights(row, k.slice(0, t + 1), at).entries()) {
        columnSums[kv]![s]! += weight / shared;
        for (let i = 0; i < size; i++) out[head * size + i]! += weight * v[s]![kv * size + i]!;
      }
    }
    return out;
  });
  return { attended, columnSums };
}

/** Rotates the pairs (i, i + d/2) of every head by position * theta^(-2i/d). */
function rotate(row: Float64Array, position: number, d: number, theta: number): Float64Array {
  return row.map((x, index) => {
    const i = index % d;
    const half = d / 2;
    const angle = position * theta ** ((-2 * (i % half)) / d);
    const other = i < half ? -row[index + half]! : row[index - half]!;
    return x * Math.cos(angle) + other * Math.sin(angle);
  });
}
