import { seededRandom } from '../../core/seeded-random.js';
import { type BlockFormat, quantisedSizes, quantiseRows } from '../../onnx/quantise-blocks.js';

const rows = 64;
const columns = 4096;

/** Normally distributed weights, [64, 4096]. */
export function normalWeights(seed = 1): Float32Array {
  const random = seededRandom(seed);
  return Float32Array.from({ length: rows * columns }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    return radius * Math.cos(2 * Math.PI * random());
  });
}

/** Root mean square error of a block format relative to the weights [.., 4096]. */
export function blockFormatError(weights: Float32Array, format: BlockFormat): number {
  const sizes = quantisedSizes(format, weights.length / columns, columns);
  const { squaredError, squaredSum } = quantiseRows(weights, columns, format, {
    values: new Uint8Array(sizes.values),
    scales: new Float32Array(sizes.scales),
    zeroPoints: new Uint8Array(sizes.zeroPoints),
  });
  return Math.sqrt(squaredError / squaredSum);
}

const blockWeights = 32;

/**
 * The same of llama.cpp's Q4_0: the weight of largest magnitude of a block becomes -8 steps, the others round to the
 * nearest of 16 steps. Source: `quantize_row_q4_0_ref` in `ggml-quants.c`; its scales, which are float16, are exact here.
 */
export function q40Error(weights: Float32Array): number {
  let squaredError = 0;
  let squaredSum = 0;
  for (let start = 0; start < weights.length; start += blockWeights) {
    const block = weights.subarray(start, start + blockWeights);
    const largest = block.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0);
    const step = largest / -8;
    for (const weight of block) {
      const stored = step === 0 ? 0 : (Math.min(15, Math.trunc(weight / step + 8.5)) - 8) * step;
      squaredError += (stored - weight) ** 2;
      squaredSum += weight ** 2;
    }
  }
  return Math.sqrt(squaredError / squaredSum);
}
