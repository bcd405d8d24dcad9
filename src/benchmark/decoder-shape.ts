import type { LlamaShape } from '../checkpoint/llama-config.js';
import type { TimedFormat } from './random-weights.js';

/**
 * Four decoder layers of LLaVA-1.5-7B. The vocabulary is small, so that a step is its layers; the real output matrix
 * is timed by itself.
 */
export const sevenB = Object.freeze({
  hiddenSize: 4096,
  intermediateSize: 11008,
  layers: 4,
  heads: 32,
  kvHeads: 32,
  headDim: 128,
  vocabSize: 256,
  rmsNormEps: 1e-5,
  ropeTheta: 10000,
  maxPositions: 8192,
} as const satisfies LlamaShape);

/** Layers and vocabulary of the whole model. */
export const wholeSevenB = Object.freeze({ layers: 32, vocabSize: 32000 } as const);

/** Cache rows that are timed: all of a prompt, 20 % of it and 5 %. */
export const cacheRows = [4096, 819, 205] as const;

/** Weights of all layers. */
function layerWeights(shape: LlamaShape): number {
  const { layers, hiddenSize, intermediateSize, heads, kvHeads, headDim } = shape;
  return layers * hiddenSize * (2 * (heads + kvHeads) * headDim + 3 * intermediateSize);
}

/** Bytes that a token cannot do without: the stored matrices of all layers, and `rows` rows of K and V in float32. */
export function decodeBytes(shape: LlamaShape, format: TimedFormat, rows: number): number {
  const cache = 2 * 4 * rows * shape.kvHeads * shape.headDim * shape.layers;
  return layerWeights(shape) * bytesPerWeight(format) + cache;
}

function bytesPerWeight(format: TimedFormat): number {
  switch (format.dtype) {
    case 'fp32':
      return 4;
    case 'int8':
      return 1 + 5 / format.blockSize;
    case 'int4':
      return 0.5 + 4.5 / format.blockSize;
  }
}

/** Multiplications and additions of a prompt of `length` tokens in all layers: matrix products and causal attention. */
export function prefillFlops(shape: LlamaShape, length: number): number {
  const pairs = (length * (length + 1)) / 2;
  return 2 * layerWeights(shape) * length + 4 * shape.heads * shape.headDim * pairs * shape.layers;
}
