import { type PatchSizes, patchRows } from './patches.js';
import { add, affine, apply, attendAll, gelu, layerNorm, type ReferenceWeights, type Rows } from './rows.js';

export interface ClipSizes extends PatchSizes {
  readonly heads: number;
  readonly eps: number;
  /** Hidden state that is wanted: 0 is the input of the first layer. */
  readonly state: number;
  readonly activation: 'gelu' | 'quick_gelu';
}

/** A CLIP tower as the formulas read: input of the first layer, and the wanted state without the class token. */
export function referenceClip(
  weights: ReferenceWeights,
  prefix: string,
  pixels: Float32Array,
  sizes: ClipSizes,
): { embeddings: Rows; features: Rows } {
  const { weight } = weights;
  const patches = patchRows(weight, `${prefix}embeddings.patch_embedding.weight`, pixels, sizes);
  const classToken = Float64Array.from(weight(`${prefix}embeddings.class_embedding`));
  const positions = weight(`${prefix}embeddings.position_embedding.weight`);
  const placed = [classToken, ...patches].map((row, t) =>
    row.map((x, i) => x + positions[t * sizes.width + i]!),
  );
  const embeddings = layerNorm(weights, placed, `${prefix}pre_layrnorm`, sizes.eps);
  const activate = sizes.activation === 'gelu' ? gelu : (x: number) => x / (1 + Math.exp(-1.702 * x));
  let hidden = embeddings;
  for (let layer = 0; layer < sizes.state; layer++) {
    const name = `${prefix}encoder.layers.${layer}`;
    const input = layerNorm(weights, hidden, `${name}.layer_norm1`, sizes.eps);
    const [q, k, v] = ['q', 'k', 'v'].map((part) => affine(weights, input, `${name}.self_attn.${part}_proj`));
    const attended = attendAll(q!, k!, v!, sizes.heads);
    hidden = add(hidden, affine(weights, attended, `${name}.self_attn.out_proj`));
    const inner = affine(
      weights,
      layerNorm(weights, hidden, `${name}.layer_norm2`, sizes.eps),
      `${name}.mlp.fc1`,
    );
    hidden = add(hidden, affine(weights, apply(inner, activate), `${name}.mlp.fc2`));
  }
  return { embeddings, features: hidden.slice(1) };
}
