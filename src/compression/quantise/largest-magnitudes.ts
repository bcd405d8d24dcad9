import type { ChannelScales } from '../../core/cache-buffers.js';
import type { LayerRows } from '../../core/layer-rows.js';

/** The largest magnitude of every channel of K and V over the first `length` rows. */
export function largestMagnitudes(layer: LayerRows): ChannelScales {
  return { keys: largestOf(layer.keys, layer), values: largestOf(layer.values, layer) };
}

function largestOf(
  source: Float32Array,
  { heads, length, capacity, headDim }: Omit<LayerRows, 'keys' | 'values'>,
): Float32Array {
  const largest = new Float32Array(heads * headDim);
  for (let head = 0; head < heads; head++) {
    const own = largest.subarray(head * headDim, (head + 1) * headDim);
    for (let row = 0; row < length; row++) {
      const at = (head * capacity + row) * headDim;
      for (let d = 0; d < headDim; d++) {
        const magnitude = Math.abs(source[at + d]!);
        if (magnitude > own[d]!) own[d] = magnitude;
      }
    }
  }
  return largest;
}
