import { expect, test } from 'vitest';
import { openTensorFiles } from '../../src/checkpoint/tensor-files.js';
import { interpolatePositions } from '../../src/convert/towers/interpolate-positions.js';
import { seededRandom } from '../../src/core/seeded-random.js';
import { fixturePath } from '../support/fixture-path.js';
import { float32Values, readSafetensors } from '../support/read-safetensors.js';
import { referenceBicubic } from '../support/reference/bicubic.js';
import { maxDifference } from './bundle-sessions.js';

const width = 3;

/** [1 + edge², width] */
function randomTable(edge: number): Float32Array {
  const random = seededRandom(edge);
  return Float32Array.from({ length: (1 + edge ** 2) * width }, () => random() - 0.5);
}

/** One channel of the patches. */
function channel(table: Float32Array, index: number): number[] {
  return [...table].filter((_, i) => i >= width && i % width === index);
}

test('the table of the recorded tower is that of torch, which computes in float32', async () => {
  const tower = fixturePath('backbones/internvl/InternViT-6B-224px/model.safetensors');
  const files = await openTensorFiles([tower]);
  const table = await files.readFloat32('embeddings.position_embedding').finally(() => files.close());
  const golden = readSafetensors(fixturePath('backbones/internvl/golden.safetensors'));
  const expected = float32Values(golden, 'vision_position_embedding_interpolated');
  expect(maxDifference(interpolatePositions(table, { from: 6, to: 9 }), expected)).toBeLessThan(2e-6);
});

test.each([
  [6, 9],
  [16, 24],
  [16, 32],
  [9, 4],
  [5, 5],
  [1, 3],
  [7, 1],
  [2, 5],
])('%i to %i is the spline in float64, channel by channel', (from, to) => {
  const table = randomTable(from);
  const result = interpolatePositions(table, { from, to });
  expect(result).toHaveLength((1 + to ** 2) * width);
  for (let index = 0; index < width; index++) {
    const expected = referenceBicubic(channel(table, index), from, to);
    expect(maxDifference(channel(result, index), expected)).toBeLessThan(1e-6);
  }
});

test('the row of the class token is kept, and a table of the right size stays as it is', () => {
  const table = randomTable(6);
  expect(interpolatePositions(table, { from: 6, to: 11 }).subarray(0, width)).toEqual(
    table.subarray(0, width),
  );
  expect(interpolatePositions(table, { from: 6, to: 6 })).toEqual(table);
});
