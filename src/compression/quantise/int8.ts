import { inverseScales, largestInt8 } from '../../core/int8-rounding.js';
import { plainStage } from '../stage.js';
import type { Quantise, RowsToQuantise } from './quantise.js';

/** The factor of every channel: its largest magnitude, of the prompt or of a merged row, comes to 127. */
function scalesOf(prompt: Float32Array, kept: Float32Array): Float32Array {
  return prompt.map((largest, channel) => {
    const most = Math.max(largest, kept[channel]!);
    return most === 0 ? 1 : most / largestInt8;
  });
}

async function quantised(
  rows: RowsToQuantise,
  data: Float32Array,
  prompt: Float32Array,
  { channels, pool }: Parameters<Quantise['apply']>[2],
): Promise<{ readonly integers: Int8Array; readonly scales: Float32Array }> {
  const { heads, headDim, rows: used, capacity } = rows;
  const source = { ...rows, data };
  const scales = scalesOf(prompt, await channels.largest(source));
  const integers = pool.takeInt8(data.length);
  // Masked rows still take part in a product with zero.
  for (let head = 0; head < heads; head++) {
    integers.fill(0, (head * capacity + used) * headDim, (head + 1) * capacity * headDim);
  }
  await channels.toInt8(source, inverseScales(scales), integers);
  return { integers, scales };
}

const rule: Quantise = {
  type: 'int8',
  apply: async (rows, largest, tools) => {
    const keys = await quantised(rows, rows.keys, largest.keys, tools);
    const values = await quantised(rows, rows.values, largest.values, tools);
    return {
      type: 'int8',
      keys: keys.integers,
      values: values.integers,
      scales: { keys: keys.scales, values: values.scales },
    };
  },
};

/** Symmetric int8 with a factor for every channel of K and of V in a layer. */
export const int8 = plainStage({
  summary: 'symmetric int8, a factor a channel of K and V, rows of the answer included',
  version: 1,
  rule,
});
