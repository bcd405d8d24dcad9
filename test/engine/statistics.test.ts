import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { noNeeds } from '../../src/core/attention-statistics.js';
import { AttentionRecorder, type ChunkStatistics } from '../../src/engine/attention-recorder.js';
import { chunkPlan } from '../../src/engine/chunk-plan.js';
import { argmax } from '../../src/engine/decode.js';
import { Runtime } from '../../src/engine/runtime.js';
import { selfTest } from '../../src/engine/self-test.js';
import { largestDifference } from '../../src/verify/tally.js';
import { Kernels } from '../support/kernels.js';
import { attentionWeights } from '../support/oracle/attention-weights.js';
import { prefillLayer } from '../support/prefill-layer.js';
import { randomPrompt } from '../support/random-prompt.js';

describe('the chunk plan', () => {
  it('covers every position once, in order, with a boundary at every stop', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2000 }),
        fc.array(fc.nat(2500)),
        fc.integer({ min: 1, max: 600 }),
        (length, stops, rows) => {
          const chunks = chunkPlan(length, stops, rows);
          let next = 0;
          for (const { start, count } of chunks) {
            expect(start).toBe(next);
            expect(count).toBeGreaterThan(0);
            expect(count).toBeLessThanOrEqual(rows);
            next += count;
          }
          expect(next).toBe(length);
          const ends = new Set(chunks.map(({ start, count }) => start + count));
          for (const stop of stops) if (stop > 0 && stop <= length) expect(ends.has(stop)).toBe(true);
        },
      ),
    );
  });

  it('is one chunk for a one-token prompt', () => {
    expect(chunkPlan(1, [0])).toEqual([{ start: 0, count: 1 }]);
  });
});

describe('the attention recorder', () => {
  const nothingMore = { squares: null, windows: [], windowSums: null };
  const recorderOf = (...chunks: readonly ChunkStatistics[]): AttentionRecorder => {
    const recorder = new AttentionRecorder({ heads: 4, kvHeads: 2 });
    for (const chunk of chunks) recorder.add(chunk);
    return recorder;
  };
  const first = { end: 2, sums: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8), ...nothingMore };
  const second = { end: 3, sums: Float32Array.of(1, 1, 1, 3, 3, 3, 5, 5, 5, 7, 7, 7), ...nothingMore };

  it('sums chunks and averages the query heads that share a key/value head', () => {
    expect(Array.from(recorderOf(first, second).columnSums(3))).toEqual([4, 5, 2, 12, 13, 6]);
  });

  it('gives the sums without the last query, and refuses prefixes no chunk ends at', () => {
    expect(Array.from(recorderOf(first, second).columnSums(2))).toEqual([2, 3, 6, 7]);
    expect(() => recorderOf(first, second).columnSums(1)).toThrow('no prefill chunk ends at query 1');
    expect(() => recorderOf(first, second).columnSums(4)).toThrow('no prefill chunk ends at query 4');
  });

  it('gives squares where every chunk has them, and says where they were not recorded', () => {
    const squares = Float32Array.of(2, 2, 4, 4, 6, 6, 8, 8);
    expect(Array.from(recorderOf({ ...first, squares }).columnSquares(2))).toEqual([3, 3, 7, 7]);
    expect(() => recorderOf({ ...first, squares }, second).columnSquares(3)).toThrow(
      'squared weights were not recorded',
    );
  });

  it('adds up a window over the chunks it touches, for the keys it can see', () => {
    const window = { from: 1, to: 2 };
    const other = { from: 0, to: 3 };
    const recorder = recorderOf(
      // [heads, windows, end]
      {
        ...first,
        windows: [other, window],
        windowSums: Float32Array.of(9, 9, 1, 2, 9, 9, 3, 4, 9, 9, 5, 6, 9, 9, 7, 8),
      },
      { ...second, windows: [other], windowSums: new Float32Array(12).fill(1) },
    );
    expect(Array.from(recorder.windowSums(window))).toEqual([2, 3, 6, 7]);
    expect(Array.from(recorder.windowSums(other))).toEqual([10, 10, 1, 10, 10, 1]);
    expect(() => recorder.windowSums({ from: 0, to: 2 })).toThrow('the window 0-2 was not recorded');
  });
});

describe('statistics of a prefilled layer', () => {
  const kernels = new Kernels({ threads: 2 });
  afterAll(() => kernels.close());
  const length = 41;
  /** Inside a chunk, across many, with and without the last query, and the last query alone. */
  const windows = [
    { from: 9, to: 41 },
    { from: 8, to: 40 },
    { from: 40, to: 41 },
    { from: 17, to: 19 },
    { from: 0, to: 41 },
  ];

  it.each([
    { heads: 2, kvHeads: 2, headDim: 8, chunkRows: 512 },
    { heads: 6, kvHeads: 2, headDim: 8, chunkRows: 7 },
    { heads: 6, kvHeads: 2, headDim: 5, chunkRows: 4 },
    { heads: 3, kvHeads: 1, headDim: 9, chunkRows: 1 },
  ])('are those of float64 arithmetic: %o', async ({ chunkRows, ...shape }) => {
    const prompt = randomPrompt({ shape, length, images: [], seed: chunkRows });
    const needs = { squares: true, windows };
    const { statistics } = await prefillLayer(kernels, prompt, { needs, chunkRows });
    const weights = attentionWeights(prompt, length);
    const group = shape.heads / shape.kvHeads;
    const expected = (range: { from: number; to: number }, power: number): number[] =>
      weights.flatMap((members) =>
        Array.from({ length: range.to }, (_, key) => {
          const received = members.flatMap((rows) =>
            rows.slice(range.from, range.to).map((row) => row[key] ?? 0),
          );
          return received.reduce((sum, weight) => sum + weight ** power, 0) / group;
        }),
      );
    for (const queries of [length, length - 1]) {
      const all = { from: 0, to: queries };
      expect(largestDifference(statistics.columnSums(queries), expected(all, 1))).toBeLessThan(1e-5);
      expect(largestDifference(statistics.columnSquares(queries), expected(all, 2))).toBeLessThan(1e-5);
    }
    for (const range of windows) {
      expect(largestDifference(statistics.windowSums(range), expected(range, 1))).toBeLessThan(1e-5);
    }
  });

  it('have the same column sums, bit for bit, whatever else is asked for', async () => {
    const prompt = randomPrompt({
      ...{ shape: { heads: 6, kvHeads: 2, headDim: 8 }, length, seed: 3 },
      images: [],
    });
    const plain = await prefillLayer(kernels, prompt, { needs: noNeeds, chunkRows: 9 });
    const needs = { squares: true, windows };
    const asked = await prefillLayer(kernels, prompt, { needs, chunkRows: 9 });
    for (const queries of [length, length - 1]) {
      expect(asked.statistics.columnSums(queries)).toEqual(plain.statistics.columnSums(queries));
    }
    expect(() => plain.statistics.columnSquares(length)).toThrow('squared weights were not recorded');
    expect(() => plain.statistics.windowSums({ from: 0, to: length })).toThrow('was not recorded');
  });
});

it('argmax takes the first of equal logits', () => {
  expect(argmax(Float32Array.of(1, 5, 2, 5))).toBe(1);
});

it('the operator self-test passes on this machine', async () => {
  const runtime = new Runtime({ threads: 2 });
  const results = await selfTest(runtime);
  await runtime.close();
  expect(results.length).toBe(6);
  expect(results.filter(({ ok }) => !ok)).toEqual([]);
});
