import type { SyntheticCheckpoint } from '../checkpoint/synthetic-checkpoint.js';

type Rows = Float64Array[];

/** Keys and values of every layer, [token][kvHeads * headDim], and the logits of the last row. */
export interface ReferencePrefill {
  readonly keys: Rows[];
  readonly values: Rows[];
  readonly logits: Float64Array;
}

/** What the left operand of a product becomes before it; `name` is that of the matrix. */
export type RoundOperand = (row: Float64Array, name: string) => Float64Array;

/** A Llama prefill as the formulas read, in float64, token by token and head by head. */
export function referencePrefill(
  { shape, weights, config }: SyntheticCheckpoint,
  embeddings: readonly Float64Array[],
  roundOperand: RoundOperand = (row) => row,
): ReferencePrefill {
  const prefix = 'model.language_model.';
  const weight = (name: string): Float32Array => weights.get(name)!.values;
  const text = config.text_config as { rms_norm_eps: number; rope_theta?: number };
  const norm = (rows: Rows, name: string): Rows =>
    rows.map((row) => {
      const mean = row.reduce((sum, x) => sum + x * x, 0) / row.length;
      return row.map((x, i) => (x / Math.sqrt(mean + text.rms_norm_eps)) * weight(name)[i]!);
    });
  const linear = (rows: Rows, name: string): Rows =>
    rows.map((row) => times(weight(name), roundOperand(row, name)));
  const add = (a: Rows, b: Rows): Rows => a.map((row, t) => row.map((x, i) => x + b[t]![i]!));

  const keys: Rows[] = [];
  const values: Rows[] = [];
  let hidden: Rows = embeddings.map((row) => Float64Array.from(row));
  for (let layer = 0; layer < shape.layers; layer++) {
    const name = `${prefix}layers.${layer}`;
    const input = norm(hidden, `${name}.input_layernorm.weight`);
    const turn = (rows: Rows): Rows =>
      rows.map((row, t) => rotate(row, t, shape.headDim, text.rope_theta ?? 10000));
    const q = turn(linear(input, `${name}.self_attn.q_proj.weight`));
    const k = turn(linear(input, `${name}.self_attn.k_proj.weight`));
    const v = linear(input, `${name}.self_attn.v_proj.weight`);
    keys.push(k);
    values.push(v);
    const attended = q.map((row, t) => {
      const out = new Float64Array(row.length);
      for (let head = 0; head < shape.heads; head++) attendHead(out, { row, k, v, t, head, shape });
      return out;
    });
    hidden = add(hidden, linear(attended, `${name}.self_attn.o_proj.weight`));
    const inner = norm(hidden, `${name}.post_attention_layernorm.weight`);
    const gate = linear(inner, `${name}.mlp.gate_proj.weight`);
    const up = linear(inner, `${name}.mlp.up_proj.weight`);
    const product = gate.map((row, t) => row.map((x, i) => (x / (1 + Math.exp(-x))) * up[t]![i]!));
    hidden = add(hidden, linear(product, `${name}.mlp.down_proj.weight`));
  }
  const [last] = norm(hidden.slice(-1), `${prefix}norm.weight`);
  return { keys, values, logits: times(weight('lm_head.weight'), roundOperand(last!, 'lm_head.weight')) };
}

function attendHead(
  out: Float64Array,
  input: {
    row: Float64Array;
    k: Rows;
    v: Rows;
    t: number;
    head: number;
    shape: SyntheticCheckpoint['shape'];
  },
): void {
  const { row, k, v, t, head, shape } = input;
  const d = shape.headDim;
  const shared = Math.floor(head / (shape.heads / shape.kvHeads));
  const scores = k.slice(0, t + 1).map((key) => {
    let dot = 0;
    for (let i = 0; i < d; i++) dot += row[head * d + i]! * key[shared * d + i]!;
    return Math.exp(dot / Math.sqrt(d));
  });
  const total = scores.reduce((sum, score) => sum + score, 0);
  for (const [s, score] of scores.entries()) {
    for (let i = 0; i < d; i++) out[head * d + i]! += (score / total) * v[s]![shared * d + i]!;
  }
}

/** [out, in] row-major matrix times a vector. */
function times(matrix: Float32Array, vector: Float64Array): Float64Array {
  const out = new Float64Array(matrix.length / vector.length);
  for (let row = 0; row < out.length; row++) {
    for (let i = 0; i < vector.length; i++) out[row]! += matrix[row * vector.length + i]! * vector[i]!;
  }
  return out;
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
