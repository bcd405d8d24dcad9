/** Token rows in float64. */
export type Rows = Float64Array[];

/** Finds the weights of a tensor by its name in the checkpoint. */
export type WeightOf = (name: string) => Float32Array;

/** What the left operand of a product becomes before it; `name` is that of the matrix. */
export type RoundOperand = (row: Float64Array, name: string) => Float64Array;

/** The weights of a model, and what its products do to their left operand where that is not nothing. */
export interface ReferenceWeights {
  readonly weight: WeightOf;
  readonly round?: RoundOperand | undefined;
}

/** [out, in] row-major matrix times every row. */
export function linear({ weight, round }: ReferenceWeights, rows: Rows, name: string): Rows {
  const matrix = weight(name);
  return rows.map((given) => {
    const row = round?.(given, name) ?? given;
    const out = new Float64Array(matrix.length / row.length);
    for (let o = 0; o < out.length; o++) {
      let sum = 0;
      for (let i = 0; i < row.length; i++) sum += matrix[o * row.length + i]! * row[i]!;
      out[o] = sum;
    }
    return out;
  });
}

/** The same with a bias: `name.weight` and `name.bias`. */
export function affine(weights: ReferenceWeights, rows: Rows, name: string): Rows {
  const bias = weights.weight(`${name}.bias`);
  return linear(weights, rows, `${name}.weight`).map((row) => row.map((x, i) => x + bias[i]!));
}

export function rmsNorm({ weight }: ReferenceWeights, rows: Rows, name: string, eps: number): Rows {
  const scale = weight(name);
  return rows.map((row) => {
    const mean = row.reduce((sum, x) => sum + x * x, 0) / row.length;
    return row.map((x, i) => (x / Math.sqrt(mean + eps)) * scale[i]!);
  });
}

/** With `name.weight` and `name.bias`. */
export function layerNorm({ weight }: ReferenceWeights, rows: Rows, name: string, eps: number): Rows {
  const scale = weight(`${name}.weight`);
  const shift = weight(`${name}.bias`);
  return rows.map((row) => {
    const mean = row.reduce((sum, x) => sum + x, 0) / row.length;
    const variance = row.reduce((sum, x) => sum + (x - mean) ** 2, 0) / row.length;
    return row.map((x, i) => ((x - mean) / Math.sqrt(variance + eps)) * scale[i]! + shift[i]!);
  });
}

export function add(a: Rows, b: Rows): Rows {
  return a.map((row, t) => row.map((x, i) => x + b[t]![i]!));
}

export function apply(rows: Rows, f: (x: number) => number): Rows {
  return rows.map((row) => row.map(f));
}

/** Softmax of the scaled products of one query with the keys, head by head: columns `from` to `to` of the rows. */
export function attentionWeights(
  query: Float64Array,
  keys: Rows,
  at: { readonly query: number; readonly key: number; readonly size: number },
): Float64Array {
  const scores = Float64Array.from(keys, (key) => {
    let dot = 0;
    for (let i = 0; i < at.size; i++) dot += query[at.query + i]! * key[at.key + i]!;
    return dot / Math.sqrt(at.size);
  });
  const largest = scores.reduce((a, b) => Math.max(a, b));
  const powers = scores.map((score) => Math.exp(score - largest));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

/** Attention of every token to all tokens. */
export function attendAll(q: Rows, k: Rows, v: Rows, heads: number): Rows {
  const size = q[0]!.length / heads;
  return q.map((row) => {
    const out = new Float64Array(row.length);
    for (let head = 0; head < heads; head++) {
      const start = head * size;
      const weights = attentionWeights(row, k, { query: start, key: start, size });
      for (const [s, weight] of weights.entries()) {
        for (let i = start; i < start + size; i++) out[i]! += weight * v[s]![i]!;
      }
    }
    return out;
  });
}

/** x * P(Z < x), the error function summed from its series. */
export function gelu(x: number): number {
  const z = x / Math.SQRT2;
  let term = z;
  let sum = z;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum) && n < 400; n++) {
    term *= (-z * z) / n;
    sum += term / (2 * n + 1);
  }
  const erf = Math.abs(z) > 5 ? Math.sign(z) : (2 / Math.sqrt(Math.PI)) * sum;
  return 0.5 * x * (1 + erf);
}

/** Values of rows one after another. */
export function flat(rows: Rows): number[] {
  return rows.flatMap((row) => [...row]);
}
