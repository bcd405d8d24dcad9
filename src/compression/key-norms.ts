import { dot } from '../core/dot.js';
import type { LayerInput } from './layer-input.js';

/** Euclidean length of every key: [heads, length]. */
export function keyNorms({ heads, headDim, length, capacity, keys }: LayerInput): Float64Array {
  const norms = new Float64Array(heads * length);
  for (let head = 0; head < heads; head++) {
    for (let i = 0; i < length; i++) {
      const at = (head * capacity + i) * headDim;
      norms[head * length + i] = Math.sqrt(dot(keys, at, at, headDim));
    }
  }
  return norms;
}
