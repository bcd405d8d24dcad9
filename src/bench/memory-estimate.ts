import type { BundleManifest, TextConfig } from '../backbone/bundle-manifest.js';
import type { MethodSet } from '../compression/method-set.js';
import type { Decoding } from '../config/protocols.js';
import { cacheNeeds, mostCacheSize } from './cache-sizes.js';
import type { PromptSize } from './prompt-size.js';
import type { Cell } from './record.js';

/** The sizes of a backbone that decide what a run needs. */
export interface BackboneSize {
  readonly text: TextConfig;
  readonly tokensPerImage: number;
  /** Bytes of all weights once they are loaded. */
  readonly weights: number;
}

/** Bytes that a sample needs, by what they hold. */
export interface MemoryEstimate {
  readonly weights: number;
  /** K and V of one layer of the uncompressed prompt. */
  readonly layer: number;
  /** Hidden states, attention weights of a chunk, compression, and the program itself. */
  readonly working: number;
  /** Caches of all cells, and what the answers add that decode at once. */
  readonly caches: number;
  /** The largest of them at the end of its answer. */
  readonly largestCache: number;
}

const float = Float32Array.BYTES_PER_ELEMENT;
const mebibyte = 2 ** 20;

/** Node.js, ONNX Runtime, the tokenizer, decoded images, features of images and arrays kept for reuse. */
const programBytes = 1024 * mebibyte;

/** Attention weights of the heads that are computed at once, which the kernel holds twice, and nearest-key products. */
const mostKernelBytes = 192 * mebibyte;

/**
 * Bytes in memory of a byte on the disk. Half floats are widened when they are loaded; blocks of integers are packed
 * anew with a fifth more, and another fifth of what they were read from stays mapped.
 */
export const loadedBytes = Object.freeze({ fp32: 1, fp16: 2, int8: 1.4, int4: 1.4 } as const);

/** The size of a bundle, from its manifest. */
export function bundleSize({ text, vision, matrices, files }: BundleManifest): BackboneSize {
  const stored = files.filter(({ path }) => path.endsWith('.bin') && path !== 'embedding.bin');
  const all = stored.reduce((sum, { bytes }) => sum + bytes, 0);
  const inMatrices = matrices.reduce((sum, { bytes }) => sum + bytes, 0);
  const loaded = matrices.reduce((sum, { bytes, dtype }) => sum + bytes * loadedBytes[dtype], 0);
  return {
    text,
    tokensPerImage: vision.tokensPerImage,
    weights: Math.ceil(loaded + Math.max(0, all - inMatrices)),
  };
}

/**
 * What one sample under these cells needs at most, from the shapes alone.
 *
 * @param prompt the longest prompt of the run
 */
export function estimateMemory({
  backbone: { text, weights },
  cells,
  methods,
  prompt,
  maxNewTokens,
  decoding,
}: {
  readonly backbone: Pick<BackboneSize, 'text' | 'weights'>;
  readonly cells: readonly Cell[];
  readonly methods: MethodSet;
  readonly prompt: PromptSize;
  readonly maxNewTokens: number;
  readonly decoding: Decoding;
}): MemoryEstimate {
  const { kvHeads: heads, headDim, hiddenSize } = text;
  const length = prompt.text + prompt.images;
  const rowBytes = 2 * heads * headDim * float;
  const modality = new Uint8Array(length).fill(1, prompt.text);
  const caches = cells.map((cell) =>
    mostCacheSize(text, methods, cell, { modality, newTokens: maxNewTokens }),
  );
  const { sizes, growth } = cacheNeeds(caches, decoding);
  // Embeddings, hidden states and attention of the whole prompt.
  const states = (2 * hiddenSize + text.heads * headDim) * length * float;
  return {
    weights,
    layer: length * rowBytes,
    working: programBytes + mostKernelBytes + states + length * rowBytes,
    caches: sizes.reduce((sum, bytes) => sum + bytes, growth),
    largestCache: Math.max(0, ...sizes) + growth,
  };
}

/** Bytes needed whatever is done with the caches. */
export function fixedBytes({ weights, layer, working }: MemoryEstimate): number {
  return weights + layer + working;
}

/** Bytes needed with one cell's cache in memory at a time, the least there is. */
export function leastBytes(estimate: MemoryEstimate): number {
  return fixedBytes(estimate) + estimate.largestCache;
}

/** Bytes needed with all caches in memory. */
export function mostBytes(estimate: MemoryEstimate): number {
  return fixedBytes(estimate) + estimate.caches;
}
