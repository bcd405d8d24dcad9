import { seededRandom } from '../../src/core/seeded-random.js';

/** Head counts and size of one layer. */
export interface HeadShape {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
}

/** Queries, keys and values of one layer before attention, head-major, and which tokens are text. */
export interface RandomPrompt extends HeadShape {
  readonly length: number;
  /** [heads, length, headDim]. */
  readonly queries: Float32Array;
  /** [kvHeads, length, headDim]. */
  readonly keys: Float32Array;
  /** [kvHeads, length, headDim]. */
  readonly values: Float32Array;
  /** [length], 1 where the position is an image token. */
  readonly modality: Uint8Array;
}

/** Images as spans; what runs past the end is cut. */
export type ImageSpans = readonly { readonly start: number; readonly length: number }[];

/** Normal queries and keys, so that attention is peaked as in a model, and values in [-1, 1). */
export function randomPrompt(options: {
  readonly shape: HeadShape;
  readonly length: number;
  readonly images: ImageSpans;
  readonly seed: number;
}): RandomPrompt {
  const { shape, length, images, seed } = options;
  const { heads, kvHeads, headDim } = shape;
  const random = seededRandom(seed);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const modality = new Uint8Array(length);
  for (const image of images) modality.fill(1, image.start, image.start + image.length);
  return {
    ...shape,
    length,
    queries: Float32Array.from({ length: heads * length * headDim }, normal),
    keys: Float32Array.from({ length: kvHeads * length * headDim }, normal),
    values: Float32Array.from({ length: kvHeads * length * headDim }, () => random() * 2 - 1),
    modality,
  };
}
