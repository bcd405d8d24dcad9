import { afterAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/core/seeded-random.js';
import { openDecodeAttention } from '../../src/engine/decode-attention.js';
import { cacheCapacity, LayerCache } from '../../src/engine/layer-cache.js';
import {
  type AttentionShape,
  openGroupedAttention,
  openPrefillAttention,
  openUnfusedAttention,
} from '../../src/engine/prefill-attention.js';
import { referenceAttention } from '../../src/engine/reference-attention.js';
import { floatData, floats, Runtime } from '../../src/engine/runtime.js';

const runtime = new Runtime({ threads: 2 });
afterAll(() => runtime.close());

function inputsOf(shape: AttentionShape, length: number) {
  const random = seededRandom(length * 31 + shape.headDim);
  const fill = (count: number): Float32Array => Float32Array.from({ length: count }, () => random() * 2 - 1);
  const queries = fill(shape.heads * length * shape.headDim);
  const keys = fill(shape.kvHeads * length * shape.headDim);
  const values = fill(shape.kvHeads * length * shape.headDim);
  return { ...shape, length, queries, keys, values };
}

/** [heads, length, headDim] rows `from..to-1` as a token-major tensor. */
function tokenMajor(
  data: Float32Array,
  at: { heads: number; headDim: number; length: number; from: number; to: number },
) {
  const { heads, headDim, length, from, to } = at;
  const rows = new Float32Array((to - from) * heads * headDim);
  for (let row = from; row < to; row++)
    for (let head = 0; head < heads; head++)
      for (let d = 0; d < headDim; d++)
        rows[((row - from) * heads + head) * headDim + d] = data[(head * length + row) * headDim + d]!;
  return floats(rows, [1, to - from, heads * headDim]);
}

function expectClose(actual: Float32Array, expected: Float64Array, tolerance = 2e-6): void {
  expect(actual.length).toBe(expected.length);
  let worst = 0;
  for (let i = 0; i < expected.length; i++) worst = Math.max(worst, Math.abs(actual[i]! - expected[i]!));
  expect(worst).toBeLessThan(tolerance);
}

const kernels = [
  ['grouped', openGroupedAttention, { heads: 4, kvHeads: 4, headDim: 16 }],
  ['grouped, shared key/value heads', openGroupedAttention, { heads: 6, kvHeads: 2, headDim: 8 }],
  ['unfused', openUnfusedAttention, { heads: 4, kvHeads: 4, headDim: 16 }],
  ['unfused, shared key/value heads', openUnfusedAttention, { heads: 6, kvHeads: 2, headDim: 5 }],
  ['chosen for an odd head size', openPrefillAttention, { heads: 3, kvHeads: 3, headDim: 20 }],
] as const;

describe.each(kernels)('prefill attention: %s', (_name, open, shape) => {
  it('gives the attention and column sums of every chunk that float64 arithmetic gives', async () => {
    const length = 23;
    const inputs = inputsOf(shape, length);
    const attend = await open(runtime, shape);
    for (const { from, to } of [
      { from: 0, to: 10 },
      { from: 10, to: 22 },
      { from: 22, to: 23 },
    ]) {
      const result = await attend({
        start: from,
        count: to - from,
        query: tokenMajor(inputs.queries, { ...shape, length, from, to }),
        key: tokenMajor(inputs.keys, { heads: shape.kvHeads, headDim: shape.headDim, length, from, to }),
        value: tokenMajor(inputs.values, { heads: shape.kvHeads, headDim: shape.headDim, length, from, to }),
        keys: inputs.keys,
        values: inputs.values,
        capacity: length,
      });
      const expected = referenceAttention(inputs, { from, to });
      expectClose(floatData(result.attention), expected.attention);
      expectClose(result.columnSums, expected.columnSums, 1e-5);
    }
  });
});

describe.each([
  { heads: 4, kvHeads: 4, headDim: 16 },
  { heads: 6, kvHeads: 2, headDim: 5 },
])('decode attention of $heads/$kvHeads heads', (shape) => {
  it('sees exactly the rows the cache holds, from an empty cache across growth of the buffers', async () => {
    const length = 131;
    const inputs = inputsOf(shape, length);
    const attend = await openDecodeAttention(runtime, shape);
    const capacity = cacheCapacity(0);
    const empty = (): Float32Array => new Float32Array(shape.kvHeads * capacity * shape.headDim).fill(3);
    const cache = new LayerCache({
      heads: shape.kvHeads,
      headDim: shape.headDim,
      rows: 0,
      capacity,
      keys: empty(),
      values: empty(),
    });
    for (let position = 0; position < length; position++) {
      const row = { length, from: position, to: position + 1, headDim: shape.headDim };
      cache.append(
        floatData(tokenMajor(inputs.keys, { ...row, heads: shape.kvHeads })),
        floatData(tokenMajor(inputs.values, { ...row, heads: shape.kvHeads })),
      );
      const attention = await attend(tokenMajor(inputs.queries, { ...row, heads: shape.heads }), cache);
      const expected = referenceAttention(inputs, { from: position, to: position + 1 });
      expectClose(floatData(attention), expected.attention);
    }
    expect(cache.rows).toBe(length);
    expect(cache.capacity).toBe(192);
    expect(cache.liveBytes).toBe(2 * shape.kvHeads * length * shape.headDim * 4);
  });
});
