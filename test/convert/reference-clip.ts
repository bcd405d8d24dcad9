import type { SyntheticCheckpoint } from '../checkpoint/synthetic-checkpoint.js';
import type { RoundOperand } from './reference-llama.js';

type Rows = Float64Array[];

/** The CLIP tower up to hidden state `state` and the projector, as the formulas read, in float64. */
export function referenceVision(
  { shape, weights }: SyntheticCheckpoint,
  pixels: Float32Array,
  { state, activation }: { state: number; activation: 'gelu' | 'quick_gelu' },
  roundOperand: RoundOperand = (row) => row,
): { tower: number[]; features: number[] } {
  const weight = (name: string): Float32Array => weights.get(`model.${name}`)!.values;
  const tower = 'vision_tower.vision_model';
  const linear = (rows: Rows, name: string): Rows => {
    const matrix = weight(`${name}.weight`);
    const bias = weight(`${name}.bias`);
    return rows.map((given) => {
      const row = roundOperand(given, `model.${name}.weight`);
      return Float64Array.from(bias, (start, out) => {
        let sum = start;
        for (let i = 0; i < row.length; i++) sum += matrix[out * row.length + i]! * row[i]!;
        return sum;
      });
    });
  };
  const norm = (rows: Rows, name: string): Rows =>
    rows.map((row) => {
      const mean = row.reduce((sum, x) => sum + x, 0) / row.length;
      const variance = row.reduce((sum, x) => sum + (x - mean) ** 2, 0) / row.length;
      const scale = weight(`${name}.weight`);
      const shift = weight(`${name}.bias`);
      return row.map((x, i) => ((x - mean) / Math.sqrt(variance + 1e-5)) * scale[i]! + shift[i]!);
    });
  const add = (a: Rows, b: Rows): Rows => a.map((row, t) => row.map((x, i) => x + b[t]![i]!));
  const apply = (rows: Rows, f: (x: number) => number): Rows => rows.map((row) => row.map(f));

  let hidden = norm(embed(shape, pixels, weight), `${tower}.pre_layrnorm`);
  for (let layer = 0; layer < state; layer++) {
    const name = `${tower}.encoder.layers.${layer}`;
    const input = norm(hidden, `${name}.layer_norm1`);
    const [q, k, v] = ['q', 'k', 'v'].map((part) => linear(input, `${name}.self_attn.${part}_proj`));
    const attended = attend(q!, k!, v!, shape.towerHeads);
    hidden = add(hidden, linear(attended, `${name}.self_attn.out_proj`));
    const inner = linear(norm(hidden, `${name}.layer_norm2`), `${name}.mlp.fc1`);
    const active = apply(inner, activation === 'gelu' ? gelu : (x) => x / (1 + Math.exp(-1.702 * x)));
    hidden = add(hidden, linear(active, `${name}.mlp.fc2`));
  }
  const features = hidden.slice(1);
  const first = apply(linear(features, 'multi_modal_projector.linear_1'), gelu);
  const projected = linear(first, 'multi_modal_projector.linear_2');
  return { tower: features.flatMap((row) => [...row]), features: projected.flatMap((row) => [...row]) };
}

function embed(
  shape: SyntheticCheckpoint['shape'],
  pixels: Float32Array,
  weight: (name: string) => Float32Array,
): Rows {
  const { towerWidth: width, imageSize: size, patchSize: patch } = shape;
  const embeddings = 'vision_tower.vision_model.embeddings';
  const kernel = weight(`${embeddings}.patch_embedding.weight`);
  const positions = weight(`${embeddings}.position_embedding.weight`);
  const rows: Rows = [Float64Array.from(weight(`${embeddings}.class_embedding`))];
  for (let top = 0; top < size; top += patch) {
    for (let left = 0; left < size; left += patch) {
      const row = new Float64Array(width);
      for (let i = 0; i < width * 3 * patch * patch; i++) {
        const x = i % patch;
        const y = Math.floor(i / patch) % patch;
        const channel = Math.floor(i / patch ** 2) % 3;
        row[Math.floor(i / (3 * patch ** 2))]! +=
          kernel[i]! * pixels[(channel * size + top + y) * size + left + x]!;
      }
      rows.push(row);
    }
  }
  return rows.map((row, t) => row.map((x, i) => x + positions[t * width + i]!));
}

function attend(q: Rows, k: Rows, v: Rows, heads: number): Rows {
  const d = q[0]!.length / heads;
  return q.map((row) => {
    const out = new Float64Array(row.length);
    for (let head = 0; head < heads; head++) {
      const scores = k.map((key) => {
        let dot = 0;
        for (let i = head * d; i < (head + 1) * d; i++) dot += row[i]! * key[i]!;
        return Math.exp(dot / Math.sqrt(d));
      });
      const total = scores.reduce((sum, score) => sum + score, 0);
      for (const [s, score] of scores.entries()) {
        for (let i = head * d; i < (head + 1) * d; i++) out[i]! += (score / total) * v[s]![i]!;
      }
    }
    return out;
  });
}

/** x * P(Z < x), the error function summed from its series. */
function gelu(x: number): number {
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
