import { expect, test } from 'vitest';
import { RandomTensors } from '../../../src/checkpoint/random/random-tensors.js';
import { widenFloat16 } from '../../../src/core/half-floats.js';

/** More than a block of the stream. */
const count = 1_200_000;

async function read(name: string, { seed = 0, dims = [count] }: { seed?: number; dims?: number[] } = {}) {
  const tensors = new RandomTensors(seed);
  tensors.declare(name, dims);
  const values = new Float32Array(dims.reduce((product, dim) => product * dim));
  let done = 0;
  for await (const block of tensors.floatBlocks(name)) {
    values.set(block, done);
    done += block.length;
  }
  expect(done).toBe(values.length);
  return values;
}

function moments(values: Float32Array): { mean: number; spread: number; kurtosis: number } {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  let [squares, fourths] = [0, 0];
  for (const value of values) {
    squares += (value - mean) ** 2 / values.length;
    fourths += (value - mean) ** 4 / values.length;
  }
  return { mean, spread: Math.sqrt(squares), kurtosis: fourths / squares ** 2 };
}

test('weights are near normal with the spread of an initialised model, and neighbours are unrelated', async () => {
  const values = await read('model.layers.0.mlp.up_proj.weight');
  const { mean, spread, kurtosis } = moments(values);
  expect(Math.abs(mean)).toBeLessThan(1e-4);
  expect(spread).toBeCloseTo(0.02, 4);
  expect(kurtosis).toBeGreaterThan(2.6);
  expect(kurtosis).toBeLessThan(3.1);
  for (const distance of [1, 2, 3, 4096]) {
    let product = 0;
    for (let i = distance; i < count; i++) product += values[i]! * values[i - distance]!;
    expect(Math.abs(product / count / spread ** 2)).toBeLessThan(5 / Math.sqrt(count));
  }
});

test.each([
  ['model.norm.weight', 1],
  ['model.layers.3.post_attention_layernorm.weight', 1],
  ['vision_model.pre_layrnorm.weight', 1],
  ['encoder.layers.1.attn.q_norm.weight', 1],
  ['encoder.layers.1.ls2', 0.1],
  ['vision_model.encoder.layers.0.layer_norm1.bias', 0],
  ['model.embed_tokens.weight', 0],
])('%s is around %d', async (name, mean) => {
  expect(moments(await read(name, { dims: [4096] })).mean).toBeCloseTo(mean, 2);
});

test('equal names and seeds give equal numbers, others do not', async () => {
  const dims = [64, 4];
  const first = await read('a', { dims });
  expect(await read('a', { dims })).toEqual(first);
  for (const other of [await read('b', { dims }), await read('a', { dims, seed: 1 })]) {
    expect(other.filter((value, i) => value === first[i]).length).toBeLessThan(5);
  }
});

test('stored as float16 they are the nearest to what is read as floats', async () => {
  const name = 'model.embed_tokens.weight';
  const tensors = new RandomTensors(0);
  tensors.declare(name, [1000, 1200]);
  const floats = tensors.floatBlocks(name);
  for await (const block of tensors.blocks(name)) {
    const { value } = await floats.next();
    const widened = new Float32Array(block.length / 2);
    widenFloat16(new Uint16Array(block.buffer, block.byteOffset, widened.length), widened);
    expect(widened).toHaveLength(value!.length);
    expect(widened.every((x, i) => Math.abs(x - value![i]!) <= Math.abs(x) * 2 ** -11 + 2 ** -25)).toBe(true);
  }
  expect((await floats.next()).done).toBe(true);
});
