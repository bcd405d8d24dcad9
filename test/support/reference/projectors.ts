import { affine, apply, gelu, type ReferenceWeights, type Rows } from './rows.js';

/** Two linear layers with a GELU between, as the formulas read. */
export function referenceMlp(
  weights: ReferenceWeights,
  { first, second }: { readonly first: string; readonly second: string },
  rows: Rows,
): Rows {
  return affine(weights, apply(affine(weights, rows, first), gelu), second);
}

/** The steps of MobileVLM's LDPNetV2. */
export interface ReferenceLdp {
  readonly mlp: Rows;
  readonly pooled: Rows;
  readonly features: Rows;
}

const edge = 12;

/** LDPNetV2 as the formulas read: the tokens of a square grid pooled to 12 x 12, then a depthwise 3 x 3 kernel. */
export function referenceLdp(weights: ReferenceWeights, prefix: string, rows: Rows): ReferenceLdp {
  const mlp = referenceMlp(weights, { first: `${prefix}mlp.mlp.0`, second: `${prefix}mlp.mlp.2` }, rows);
  const pooled = poolTokens(mlp);
  const kernel = weights.weight(`${prefix}peg.peg.0.weight`);
  const bias = weights.weight(`${prefix}peg.peg.0.bias`);
  const features = pooled.map((row, t) =>
    row.map((x, channel) => {
      let sum = x + bias[channel]!;
      for (let k = 0; k < 9; k++) {
        const y = Math.floor(t / edge) + Math.floor(k / 3) - 1;
        const z = (t % edge) + (k % 3) - 1;
        if (y < 0 || z < 0 || y >= edge || z >= edge) continue;
        sum += kernel[channel * 9 + k]! * pooled[y * edge + z]![channel]!;
      }
      return sum;
    }),
  );
  return { mlp, pooled, features };
}

/** Adaptive average pooling: every output is the mean over its window, windows overlap where sizes do not divide. */
function poolTokens(rows: Rows): Rows {
  const grid = Math.sqrt(rows.length);
  const window = (i: number): [number, number] => [
    Math.floor((i * grid) / edge),
    Math.ceil(((i + 1) * grid) / edge),
  ];
  return Array.from({ length: edge * edge }, (_, t) => {
    const [top, bottom] = window(Math.floor(t / edge));
    const [left, right] = window(t % edge);
    const mean = new Float64Array(rows[0]!.length);
    for (let y = top; y < bottom; y++) {
      for (let x = left; x < right; x++) {
        for (let i = 0; i < mean.length; i++) mean[i]! += rows[y * grid + x]![i]!;
      }
    }
    return mean.map((sum) => sum / ((bottom - top) * (right - left)));
  });
}
