import type { LayerInput } from '../../src/compression/layer-input.js';
import type { AttentionStatistics } from '../../src/core/attention-statistics.js';
import { seededRandom } from '../../src/core/seeded-random.js';
import type { ImageSpans } from './random-prompt.js';

export interface RandomLayerOptions {
  readonly heads: number;
  readonly headDim: number;
  readonly length: number;
  /** Rows allocated; those beyond the prompt are NaN, and images in the modality. */
  readonly capacity?: number;
  readonly images: ImageSpans;
  readonly seed: number;
  readonly layer?: number;
  readonly layers?: number;
  /** Statistics are whole numbers of this many values, so that many are equal. */
  readonly grades?: number;
}

/** A layer of random keys, values and statistics. */
export function randomLayer(options: RandomLayerOptions): LayerInput {
  const { heads, headDim, length, seed, layer = 0, layers = 1 } = options;
  const capacity = options.capacity ?? length;
  const random = seededRandom(seed);
  const rows = (): Float32Array => {
    const data = new Float32Array(heads * capacity * headDim).fill(Number.NaN);
    for (let head = 0; head < heads; head++)
      for (let i = 0; i < length * headDim; i++) data[head * capacity * headDim + i] = random() * 2 - 1;
    return data;
  };
  const modality = new Uint8Array(capacity).fill(1, length);
  for (const image of options.images) {
    modality.fill(1, Math.min(image.start, length), Math.min(image.start + image.length, length));
  }
  return {
    ...{ heads, headDim, length, capacity, layer, layers, seed, modality },
    keys: rows(),
    values: rows(),
    statistics: randomStatistics(options),
  };
}

/** Numbers of the size that statistics have, others for every prefix and window; the same when asked again. */
function randomStatistics({ heads, seed, grades }: RandomLayerOptions): AttentionStatistics {
  const known = new Map<string, Float32Array>();
  const drawn = (name: string, part: number, columns: number): Float32Array => {
    const random = seededRandom(seed ^ Math.imul(part, 0x9e3779b1));
    const largest = grades ?? columns;
    const draw = grades === undefined ? random : () => Math.floor(random() * grades) / grades;
    const numbers = known.get(name) ?? Float32Array.from({ length: heads * columns }, () => draw() * largest);
    known.set(name, numbers);
    return numbers;
  };
  return {
    columnSums: (queries) => drawn(`sums ${queries}`, 3 * queries + 1, queries),
    columnSquares: (queries) => drawn(`squares ${queries}`, 3 * queries + 2, queries),
    windowSums: ({ from, to }) => drawn(`window ${from}-${to}`, 7919 * from + 3 * to, to),
  };
}
