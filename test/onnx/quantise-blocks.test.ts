import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { seededRandom } from '../../src/core/seeded-random.js';
import { GraphBuilder } from '../../src/onnx/graph-builder.js';
import {
  type BlockFormat,
  type QuantisedRows,
  quantisedSizes,
  quantiseRows,
} from '../../src/onnx/quantise-blocks.js';
import { dequantiseBlocks } from '../support/dequantise-blocks.js';

/** Numbers of a normal distribution. */
function normal(count: number, seed: number): Float32Array {
  const random = seededRandom(seed);
  return Float32Array.from(
    { length: count },
    () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()),
  );
}

function quantise(weights: Float32Array, columns: number, format: BlockFormat) {
  const sizes = quantisedSizes(format, weights.length / columns, columns);
  const stored: QuantisedRows = {
    values: new Uint8Array(sizes.values).fill(0xff),
    scales: new Float32Array(sizes.scales),
    zeroPoints: new Uint8Array(sizes.zeroPoints).fill(0xff),
  };
  return { stored, error: quantiseRows(weights, columns, format, stored) };
}

const formats = (['int4', 'int8'] as const).flatMap((dtype) =>
  ([32, 64, 128] as const).map((blockSize) => ({ dtype, blockSize })),
);

/** Rows, columns: whole blocks, a padded last block, an odd number of blocks, one block not full. */
const shapes = [
  [5, 256],
  [3, 176],
  [4, 96],
  [7, 24],
  [2, 5632],
] as const;
const cases = formats.flatMap((format) =>
  shapes.map(([rows, columns]) => ({ format, ...format, rows, columns })),
);

test.each(cases)(
  'ONNX Runtime multiplies $dtype blocks of $blockSize as specified: [$rows, $columns]',
  async ({ format, rows, columns }) => {
    const { stored } = quantise(normal(rows * columns, 1), columns, format);
    const weights = dequantiseBlocks(stored, rows, columns, format);
    const tokens = 3;
    const value = normal(tokens * columns, 2);
    for (const level of [1, 4]) {
      const product = await multiply(stored, { value, tokens, rows, columns, format, level });
      for (let token = 0; token < tokens; token++) {
        for (let row = 0; row < rows; row++) {
          let sum = 0;
          let sizes = 0;
          // Level 4 rounds the left operand to 127 steps of its block's largest number.
          let rounding = 0;
          for (let start = 0; start < columns; start += format.blockSize) {
            let largest = 0;
            let weightSizes = 0;
            for (let i = start; i < Math.min(columns, start + format.blockSize); i++) {
              const [a, b] = [value[token * columns + i]!, weights[row * columns + i]!];
              sum += a * b;
              sizes += Math.abs(a * b);
              largest = Math.max(largest, Math.abs(a));
              weightSizes += Math.abs(b);
            }
            rounding += (largest / 127 / 2) * weightSizes;
          }
          const bound = 1e-6 * sizes + (level === 4 ? rounding : 0);
          expect(Math.abs(product[token * rows + row]! - sum)).toBeLessThanOrEqual(bound);
        }
      }
    }
  },
);

async function multiply(
  stored: QuantisedRows,
  options: {
    value: Float32Array;
    tokens: number;
    rows: number;
    columns: number;
    format: BlockFormat;
    level: number;
  },
): Promise<Float32Array> {
  const { value, tokens, rows, columns, format, level } = options;
  const bits = format.dtype === 'int4' ? 4 : 8;
  const blocks = Math.ceil(columns / format.blockSize);
  const builder = new GraphBuilder();
  builder.input('a', 'f32', [1, tokens, columns]);
  builder.initializer('b', 'u8', [rows, blocks, (format.blockSize * bits) / 8], stored.values);
  builder.initializer('scales', 'f32', [rows, blocks], stored.scales);
  builder.initializer('zeros', 'u8', [rows, Math.ceil((blocks * bits) / 8)], stored.zeroPoints);
  const attributes = { K: columns, N: rows, bits, block_size: format.blockSize, accuracy_level: level };
  builder.microsoft('MatMulNBits', ['a', 'b', 'scales', 'zeros'], attributes, 'y');
  builder.output('y', 'f32', [1, tokens, rows]);
  const session = await InferenceSession.create(builder.bytes(), { intraOpNumThreads: 1 });
  const { y } = await session.run({ a: new Tensor('float32', value, [1, tokens, columns]) });
  await session.release();
  if (!(y?.data instanceof Float32Array)) throw new Error('no product');
  return y.data;
}

test.each(formats)('the error of $dtype in blocks of $blockSize is what it says', (format) => {
  const [rows, columns] = [50, 300];
  const weights = normal(rows * columns, 3);
  const { stored, error } = quantise(weights, columns, format);
  const again = dequantiseBlocks(stored, rows, columns, format);
  const squared = weights.reduce((sum, weight, i) => sum + (again[i]! - weight) ** 2, 0);
  expect(error.squaredError / squared).toBeCloseTo(1, 6);
  expect(error.squaredSum / weights.reduce((sum, weight) => sum + weight ** 2, 0)).toBeCloseTo(1, 9);
});

/** Relative error of rounding every weight to the nearest of `levels` steps over the range of its block and zero. */
function nearestError(weights: Float32Array, blockSize: number, levels: number): number {
  let squared = 0;
  for (let start = 0; start < weights.length; start += blockSize) {
    const block = weights.subarray(start, start + blockSize);
    const lowest = Math.min(0, ...block);
    const step = (Math.max(0, ...block) - lowest) / (levels - 1);
    const zero = Math.round(-lowest / step);
    for (const weight of block) {
      const value = Math.min(levels - 1, Math.max(0, Math.round(weight / step) + zero));
      squared += ((value - zero) * step - weight) ** 2;
    }
  }
  return Math.sqrt(squared / weights.reduce((sum, weight) => sum + weight ** 2, 0));
}

test.each(formats)('$dtype in blocks of $blockSize is no worse than rounding to the nearest', (format) => {
  const weights = normal(64 * 4096, 4);
  const { error } = quantise(weights, 4096, format);
  const relative = Math.sqrt(error.squaredError / error.squaredSum);
  const levels = format.dtype === 'int4' ? 16 : 256;
  // The search for a step is worth 3 % and more with 4 bits.
  const gain = format.dtype === 'int4' ? 0.97 : 1.001;
  expect(relative).toBeLessThan(gain * nearestError(weights, format.blockSize, levels));
});

test('blocks of one number, of zeros and of one sign are kept', () => {
  const columns = 160;
  const weights = new Float32Array(columns);
  weights.fill(0.25, 32, 64);
  weights.fill(-3, 64, 96);
  for (let i = 96; i < 128; i++) weights[i] = 1 + (i % 16) / 100;
  weights[130] = 1e-42;
  const format = { dtype: 'int4', blockSize: 32 } as const;
  const { stored, error } = quantise(weights, columns, format);
  const again = dequantiseBlocks(stored, 1, columns, format);
  expect([...again.subarray(0, 32)]).toEqual(Array(32).fill(0));
  for (let i = 32; i < 96; i++) expect(again[i]! / weights[i]!).toBeCloseTo(1, 6);
  for (let i = 96; i < 128; i++) expect(Math.abs(again[i]! - weights[i]!)).toBeLessThan(1.15 / 15 / 2 + 1e-6);
  expect(stored.scales.every(Number.isFinite)).toBe(true);
  expect(Number.isFinite(error.squaredError)).toBe(true);
});

test.each([Number.NaN, Number.POSITIVE_INFINITY])('a weight of %s shows in the sum', (odd) => {
  const weights = normal(64, 5);
  weights[40] = odd;
  const { error } = quantise(weights, 64, { dtype: 'int4', blockSize: 32 });
  expect(Number.isFinite(error.squaredSum)).toBe(false);
});
