import { referenceBicubic } from './bicubic.js';
import { type PatchSizes, patchRows } from './patches.js';
import {
  add,
  affine,
  apply,
  attendAll,
  gelu,
  linear,
  type ReferenceWeights,
  type Rows,
  rmsNorm,
} from './rows.js';

export interface InternVitSizes extends PatchSizes {
  readonly heads: number;
  readonly eps: number;
  /** Edge of the grid that the position table is for. */
  readonly trainedGrid: number;
  readonly qkNorm: boolean;
  readonly qkvBias: boolean;
  /** Hidden state that is wanted: 0 is the input of the first layer. */
  readonly state: number;
}

/** An InternViT as the formulas read: input of the first layer, and the wanted state without the class token. */
export function referenceInternVit(
  weights: ReferenceWeights,
  prefix: string,
  pixels: Float32Array,
  sizes: InternVitSizes,
): { embeddings: Rows; features: Rows } {
  const embeddings = embed(weights, `${prefix}embeddings.`, pixels, sizes);
  let hidden = embeddings;
  for (let layer = 0; layer < sizes.state; layer++) {
    const name = `${prefix}encoder.layers.${layer}.`;
    const input = rmsNorm(weights, hidden, `${name}norm1.weight`, sizes.eps);
    hidden = add(hidden, scaled(weights, attention(weights, name, input, sizes), `${name}ls1`));
    const inner = affine(
      weights,
      rmsNorm(weights, hidden, `${name}norm2.weight`, sizes.eps),
      `${name}mlp.fc1`,
    );
    hidden = add(
      hidden,
      scaled(weights, affine(weights, apply(inner, gelu), `${name}mlp.fc2`), `${name}ls2`),
    );
  }
  return { embeddings, features: hidden.slice(1) };
}

function attention(weights: ReferenceWeights, name: string, input: Rows, sizes: InternVitSizes): Rows {
  const { width, heads, eps, qkNorm, qkvBias } = sizes;
  const packed = qkvBias
    ? affine(weights, input, `${name}attn.qkv`)
    : linear(weights, input, `${name}attn.qkv.weight`);
  const part = (index: number): Rows => packed.map((row) => row.slice(index * width, (index + 1) * width));
  const normed = (rows: Rows, norm: string): Rows =>
    qkNorm ? rmsNorm(weights, rows, `${name}attn.${norm}.weight`, eps) : rows;
  const attended = attendAll(normed(part(0), 'q_norm'), normed(part(1), 'k_norm'), part(2), heads);
  return affine(weights, attended, `${name}attn.proj`);
}

function scaled({ weight }: ReferenceWeights, rows: Rows, name: string): Rows {
  return rows.map((row) => row.map((x, i) => x * weight(name)[i]!));
}

function embed(
  { weight }: ReferenceWeights,
  prefix: string,
  pixels: Float32Array,
  sizes: InternVitSizes,
): Rows {
  const { width, trainedGrid, imageSize, patchSize } = sizes;
  const bias = weight(`${prefix}patch_embedding.bias`);
  const patches = patchRows(weight, `${prefix}patch_embedding.weight`, pixels, sizes);
  const table = weight(`${prefix}position_embedding`);
  const grids = Array.from({ length: width }, (_, channel) => {
    const values = Array.from({ length: trainedGrid ** 2 }, (_, t) => table[(1 + t) * width + channel]!);
    return referenceBicubic(values, trainedGrid, Math.floor(imageSize / patchSize));
  });
  const classToken = Float64Array.from(
    weight(`${prefix}class_embedding`),
    (x, channel) => x + table[channel]!,
  );
  return [
    classToken,
    ...patches.map((row, t) => row.map((x, channel) => x + bias[channel]! + grids[channel]![t]!)),
  ];
}
