import { inverseScales, largestInt8, toInt8 } from '../../core/int8-rounding.js';
import { plainStage } from '../stage.js';
import { largestMagnitudes } from './largest-magnitudes.js';
import type { Quantise, RowsToQuantise } from './quantise.js';

/** The factor of every channel: its largest magnitude, of the prompt or of a merged row, comes to 127. */
function scalesOf(prompt: Float32Array, kept: Float32Array): Float32Array {
  return prompt.map((largest, channel) => {
    const most = Math.max(largest, kept[channel]!);
    return most === 0 ? 1 : most / largestInt8;
  });
}

/** @param source [heads, capacity, headDim]; rows beyond the used ones come to 0 */
function quantised(
  source: Float32Array,
  scales: Float32Array,
  { heads, rows, capacity, headDim }: RowsToQuantise,
): Int8Array {
  const target = new Int8Array(source.length);
  const inverse = inverseScales(scales);
  for (let head = 0; head < heads; head++) {
    const own = inverse.subarray(head * headDim, (head + 1) * headDim);
    for (let row = 0; row < rows; row++) {
      const at = (head * capacity + row) * headDim;
      for (let d = 0; d < headDim; d++) target[at + d] = toInt8(source[at + d]!, own[d]!);
    }
  }
  return target;
}

const rule: Quantise = {
  type: 'int8',
  apply: (rows, largest) => {
    const kept = largestMagnitudes({ ...rows, length: rows.rows });
    const scales = {
      keys: scalesOf(largest.keys, kept.keys),
      values: scalesOf(largest.values, kept.values),
    };
    const keys = quantised(rows.keys, scales.keys, rows);
    const values = quantised(rows.values, scales.values, rows);
    return { type: 'int8', keys, values, scales };
  },
};

/** Symmetric int8 with a factor for every channel of K and of V in a layer. */
export const int8 = plainStage({
  summary: 'symmetric int8, a factor a channel of K and V, rows of the answer included',
  version: 1,
  rule,
});
