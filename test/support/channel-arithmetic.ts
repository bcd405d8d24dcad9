import type { ChannelArithmetic } from '../../src/compression/quantise/quantise.js';
import { toInt8 } from '../../src/core/int8-rounding.js';

/** The arithmetic of quantising, number by number. */
export const referenceChannels: ChannelArithmetic = {
  async largest({ heads, headDim, rows, capacity, data }) {
    const largest = new Float32Array(heads * headDim);
    for (let head = 0; head < heads; head++) {
      for (let row = 0; row < rows; row++) {
        for (let d = 0; d < headDim; d++) {
          const magnitude = Math.abs(data[(head * capacity + row) * headDim + d]!);
          largest[head * headDim + d] = Math.max(largest[head * headDim + d]!, magnitude);
        }
      }
    }
    return largest;
  },
  async toInt8({ heads, headDim, rows, capacity, data }, inverse, integers) {
    for (let head = 0; head < heads; head++) {
      for (let row = 0; row < rows; row++) {
        for (let d = 0; d < headDim; d++) {
          const i = (head * capacity + row) * headDim + d;
          integers[i] = toInt8(data[i]!, inverse[head * headDim + d]!);
        }
      }
    }
  },
};
