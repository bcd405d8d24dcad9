import type { LayerInput } from '../../src/compression/layer-input.js';
import { seededRandom } from '../../src/core/seeded-random.js';

/** A layer of random keys, values and column sums; the last `length - capacity` buffer rows are poisoned. */
export function randomLayer(options: {
  heads: number;
  headDim: number;
  length: number;
  capacity?: number;
  images: readonly { start: number; length: number }[];
  seed: number;
}): LayerInput {
  const { heads, headDim, length } = options;
  const capacity = options.capacity ?? length;
  const random = seededRandom(options.seed);
  const rows = (): Float32Array => {
    const data = new Float32Array(heads * capacity * headDim).fill(Number.NaN);
    for (let head = 0; head < heads; head++)
      for (let i = 0; i < length * headDim; i++) data[head * capacity * headDim + i] = random() * 2 - 1;
    return data;
  };
  const modality = new Uint8Array(capacity);
  for (const image of options.images) modality.fill(1, image.start, image.start + image.length);
  const sums = Float32Array.from({ length: heads * length }, () => random() * length);
  return {
    heads,
    headDim,
    length,
    capacity,
    keys: rows(),
    values: rows(),
    modality,
    statistics: { columnSums: () => sums },
  };
}
