import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noNeeds, type QueryRange, type StatisticNeeds } from '../../src/core/attention-statistics.js';
import type { CacheBuffers } from '../../src/core/cache-buffers.js';
import { attentionInRuns, headsPerRun } from '../../src/engine/attention-in-runs.js';
import type { ChunkStatistics } from '../../src/engine/attention-recorder.js';
import { type DecodeRows, openDecodeAttention } from '../../src/engine/decode-attention.js';
import { openInPlaceDecodeAttention } from '../../src/engine/in-place-decode-attention.js';
import { cacheCapacity, LayerCache } from '../../src/engine/layer-cache.js';
import {
  openGroupedAttention,
  openPrefillAttention,
  openUnfusedAttention,
} from '../../src/engine/prefill-attention.js';
import type { PrefillAttention, PrefillAttentionResult } from '../../src/engine/prefill-chunk.js';
import { referenceAttention } from '../../src/engine/reference-attention.js';
import { floatData, floats, type Runtime, type Tensor } from '../../src/engine/runtime.js';
import { attentionWeights } from '../support/oracle/attention-weights.js';
import { type HeadShape, type RandomPrompt, randomPrompt } from '../support/random-prompt.js';
import { openRuntime, sessionKinds } from '../support/runtimes.js';
import { tokenMajor } from '../support/token-major.js';

function inputsOf(shape: HeadShape, length: number): RandomPrompt {
  return randomPrompt({ shape, length, images: [], seed: length * 31 + shape.headDim });
}

/** Rows `from..to-1` of [heads, length, headDim] as a tensor [1, to - from, heads * headDim]. */
function rowsOf(data: Float32Array, at: Parameters<typeof tokenMajor>[1]): Tensor {
  return floats(tokenMajor(data, at), [1, at.to - at.from, at.heads * at.headDim]);
}

function expectClose(actual: Float32Array, expected: ArrayLike<number>, tolerance = 2e-6): void {
  expect(actual.length).toBe(expected.length);
  let worst = 0;
  for (let i = 0; i < expected.length; i++) worst = Math.max(worst, Math.abs(actual[i]! - expected[i]!));
  expect(worst).toBeLessThan(tolerance);
}

function openChosen(of: Runtime, shape: HeadShape): Promise<PrefillAttention> {
  return openPrefillAttention(of, shape, length);
}

async function openInRuns(of: Runtime, shape: HeadShape): Promise<PrefillAttention> {
  const part = { heads: shape.heads / shape.kvHeads, kvHeads: 1, headDim: shape.headDim };
  return attentionInRuns(await openGroupedAttention(of, part), shape, part);
}

const kernels = [
  ['grouped', openGroupedAttention, { heads: 4, kvHeads: 4, headDim: 16 }],
  ['grouped, shared key/value heads', openGroupedAttention, { heads: 6, kvHeads: 2, headDim: 8 }],
  ['unfused', openUnfusedAttention, { heads: 4, kvHeads: 4, headDim: 16 }],
  ['unfused, shared key/value heads', openUnfusedAttention, { heads: 6, kvHeads: 2, headDim: 5 }],
  ['chosen for an odd head size', openChosen, { heads: 3, kvHeads: 3, headDim: 20 }],
  ['in runs of one head', openInRuns, { heads: 4, kvHeads: 4, headDim: 16 }],
  ['in runs of one shared head', openInRuns, { heads: 6, kvHeads: 2, headDim: 8 }],
] as const;

const length = 23;
const chunks: readonly QueryRange[] = [
  { from: 0, to: 10 },
  { from: 10, to: 22 },
  { from: 22, to: 23 },
];

/** Inside a chunk, across boundaries, up to the last query but one, all of them and the last alone. */
const windows: readonly QueryRange[] = [
  { from: 2, to: 5 },
  { from: 8, to: 12 },
  { from: 7, to: 22 },
  { from: 0, to: 23 },
  { from: 22, to: 23 },
];

const variants: readonly (readonly [string, StatisticNeeds])[] = [
  ['nothing more', noNeeds],
  ['squares', { squares: true, windows: [] }],
  ['windows', { squares: false, windows }],
  ['squares and windows', { squares: true, windows }],
];

async function runChunks(
  attend: PrefillAttention,
  inputs: RandomPrompt,
  needs: StatisticNeeds,
): Promise<PrefillAttentionResult[]> {
  const { heads, kvHeads, headDim, queries, keys, values } = inputs;
  const results: PrefillAttentionResult[] = [];
  // Rows not added yet are NaN, to show that they are not read.
  const buffers = { keys: keys.slice().fill(Number.NaN), values: values.slice().fill(Number.NaN) };
  for (const { from, to } of chunks) {
    const at = { headDim, length, from, to };
    results.push(
      await attend({
        start: from,
        count: to - from,
        query: rowsOf(queries, { ...at, heads }),
        key: rowsOf(keys, { ...at, heads: kvHeads }),
        value: rowsOf(values, { ...at, heads: kvHeads }),
        ...buffers,
        capacity: length,
        needs,
      }),
    );
  }
  expect(buffers).toEqual({ keys, values });
  return results;
}

/** [heads, to]: powers of the weights that keys receive from the queries of a range, in float64. */
function received(weights: readonly number[][][], range: QueryRange, width: number, power = 1): number[] {
  return weights.flatMap((head) =>
    Array.from({ length: width }, (_, key) =>
      head.slice(range.from, range.to).reduce((sum, row) => sum + (row[key] ?? 0) ** power, 0),
    ),
  );
}

/** [heads, end] of one of the windows of a chunk. */
function windowOf({ windowSums, windows: touched, end }: ChunkStatistics, index: number): Float32Array {
  const heads = windowSums!.length / (touched.length * end);
  const own = new Float32Array(heads * end);
  for (let head = 0; head < heads; head++) {
    const from = (head * touched.length + index) * end;
    own.set(windowSums!.subarray(from, from + end), head * end);
  }
  return own;
}

describe.each(sessionKinds)('with %s sessions,', (kind) => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await openRuntime(kind, 2);
  });
  afterAll(() => runtime.close());

  describe.each(kernels)('prefill attention: %s', (_name, open, shape) => {
    const inputs = inputsOf(shape, length);
    const weights = attentionWeights(inputs, length).flat();

    it.each(variants)(
      'gives what float64 arithmetic gives for every chunk when asked for %s',
      async (_, needs) => {
        const results = await runChunks(await open(runtime, shape), inputs, needs);
        for (const [index, { from, to }] of chunks.entries()) {
          const { attention, statistics } = results[index]!;
          const expected = referenceAttention(inputs, { from, to });
          expectClose(floatData(attention), expected.attention);
          expect(statistics.end).toBe(to);
          expectClose(statistics.sums, expected.columnSums, 1e-5);
          expectClose(statistics.sums, received(weights, { from, to }, to), 1e-5);
          if (needs.squares) expectClose(statistics.squares!, received(weights, { from, to }, to, 2), 1e-5);
          else expect(statistics.squares).toBeNull();
          const touching = needs.windows.filter((window) => window.from < to && window.to > from);
          expect(statistics.windows).toEqual(touching);
          if (touching.length === 0) expect(statistics.windowSums).toBeNull();
          for (const [w, window] of touching.entries()) {
            const inside = { from: Math.max(from, window.from), to: Math.min(to, window.to) };
            expectClose(windowOf(statistics, w), received(weights, inside, to), 1e-5);
          }
        }
      },
    );

    it('gives the same attention and column sums, bit for bit, whatever else is asked for', async () => {
      const attend = await open(runtime, shape);
      const plain = await runChunks(attend, inputs, noNeeds);
      for (const [, needs] of variants) {
        for (const [index, { attention, statistics }] of (await runChunks(attend, inputs, needs)).entries()) {
          expect(floatData(attention)).toEqual(floatData(plain[index]!.attention));
          expect(statistics.sums).toEqual(plain[index]!.statistics.sums);
        }
      }
    });
  });

  describe('attention in runs of some heads', () => {
    it('gives what one run of all heads gives, bit for bit', async () => {
      const shape = { heads: 6, kvHeads: 2, headDim: 8 };
      const inputs = inputsOf(shape, length);
      const needs: StatisticNeeds = { squares: true, windows };
      const whole = await runChunks(await openGroupedAttention(runtime, shape), inputs, needs);
      const parts = await runChunks(await openInRuns(runtime, shape), inputs, needs);
      for (const [index, { attention, statistics }] of whole.entries()) {
        expect(floatData(parts[index]!.attention)).toEqual(floatData(attention));
        expect(parts[index]!.statistics).toEqual(statistics);
      }
    });

    it('has as many heads as 64 MiB of weights allow, and no fewer than threads', () => {
      const heads = { heads: 32, kvHeads: 32 };
      const rows = { queries: 512, keys: 4096 };
      expect(headsPerRun(heads, { ...rows, threads: 2 })).toBe(8);
      expect(headsPerRun(heads, { ...rows, threads: 12 })).toBe(16);
      expect(headsPerRun(heads, { ...rows, threads: 64 })).toBe(32);
      expect(headsPerRun(heads, { ...rows, keys: 1000, threads: 2 })).toBe(32);
      expect(headsPerRun({ heads: 32, kvHeads: 8 }, { ...rows, threads: 2 })).toBe(2);
      expect(headsPerRun({ heads: 7, kvHeads: 7 }, { ...rows, threads: 2 })).toBe(7);
      expect(headsPerRun({ heads: 40, kvHeads: 40 }, { ...rows, keys: 1 << 20, threads: 1 })).toBe(1);
    });
  });

  const decodeKernels = [
    ['unfused', openDecodeAttention, { heads: 4, kvHeads: 4, headDim: 16 }, 'float32'],
    ['unfused, shared key/value heads', openDecodeAttention, { heads: 6, kvHeads: 2, headDim: 5 }, 'float32'],
    ['int8, unfused', openDecodeAttention, { heads: 4, kvHeads: 4, headDim: 16 }, 'int8'],
    [
      'int8, unfused, shared key/value heads',
      openDecodeAttention,
      { heads: 6, kvHeads: 2, headDim: 5 },
      'int8',
    ],
    ...(kind === 'native'
      ? ([
          ['in place', openInPlaceDecodeAttention, { heads: 4, kvHeads: 4, headDim: 16 }, 'float32'],
          [
            'in place, shared key/value heads',
            openInPlaceDecodeAttention,
            { heads: 6, kvHeads: 2, headDim: 8 },
            'float32',
          ],
          ['int8, in place', openInPlaceDecodeAttention, { heads: 4, kvHeads: 4, headDim: 16 }, 'int8'],
          [
            'int8, in place, shared key/value heads',
            openInPlaceDecodeAttention,
            { heads: 6, kvHeads: 2, headDim: 8 },
            'int8',
          ],
        ] as const)
      : []),
  ] as const;

  /** Numbers that int8 rows of this factor hold exactly, so that only a kernel can be wrong. */
  const factor = 1 / 64;
  const integerOf = (value: number): number => Math.max(-127, Math.min(127, Math.round(value / factor)));

  describe.each(decodeKernels)('decode attention: %s', (_name, open, shape, type) => {
    const { heads, kvHeads, headDim } = shape;
    const length = 131;
    const drawn = inputsOf(shape, length);
    const onGrid = (values: Float32Array): Float32Array => values.map((value) => factor * integerOf(value));
    const inputs =
      type === 'int8' ? { ...drawn, keys: onGrid(drawn.keys), values: onGrid(drawn.values) } : drawn;
    const emptyCache = (sequences: number): LayerCache => {
      const capacity = cacheCapacity(0);
      const size = sequences * kvHeads * capacity * headDim;
      const empty = (): Float32Array => new Float32Array(size).fill(3);
      const integers = (): Int8Array => new Int8Array(size).fill(3);
      const scales = new Float32Array(sequences * kvHeads * headDim).fill(factor);
      const buffers: CacheBuffers =
        type === 'float32'
          ? { type, keys: empty(), values: empty() }
          : { type, keys: integers(), values: integers(), scales: { keys: scales, values: scales } };
      const rows = new Array<number>(sequences).fill(0);
      return new LayerCache({ heads: kvHeads, headDim, rows, capacity, buffers });
    };
    /** One token of every sequence, at positions of its own. */
    const rowsAt = (positions: readonly number[]): DecodeRows => {
      const rows = (data: Float32Array, heads: number): Tensor => {
        const all = positions.map((position) =>
          tokenMajor(data, { heads, headDim, length, from: position, to: position + 1 }),
        );
        return floats(Float32Array.from(all.flatMap((row) => [...row])), [
          positions.length,
          1,
          heads * headDim,
        ]);
      };
      const { queries, keys, values } = inputs;
      return { query: rows(queries, heads), key: rows(keys, kvHeads), value: rows(values, kvHeads) };
    };
    const expected = (position: number): Float64Array =>
      referenceAttention(inputs, { from: position, to: position + 1 }).attention;

    it('sees exactly the rows the cache holds, from an empty cache across growth of the buffers', async () => {
      const decode = await open(runtime, shape, { type });
      const cache = emptyCache(1);
      for (let position = 0; position < length; position++) {
        expectClose(floatData(await decode(rowsAt([position]), cache)), expected(position));
      }
      expect(cache.rows).toBe(length);
      expect(cache.capacity).toBe(192);
      expect(cache.liveBytes()).toBe(2 * kvHeads * headDim * (type === 'int8' ? length + 4 : 4 * length));
      for (const [buffer, all] of [
        [cache.buffers.keys, inputs.keys],
        [cache.buffers.values, inputs.values],
      ] as const) {
        for (let head = 0; head < kvHeads; head++) {
          const used = buffer.subarray(head * 192 * headDim, (head * 192 + length) * headDim);
          const own = all.subarray(head * length * headDim, (head + 1) * length * headDim);
          expect([...used]).toEqual(
            type === 'int8' ? [...own].map((value) => integerOf(value) + 0) : [...own],
          );
        }
      }
    });

    it('set back to earlier rows goes on as it did then', async () => {
      const decode = await open(runtime, shape, { type });
      const cache = emptyCache(1);
      for (let position = 0; position < 60; position++) await decode(rowsAt([position]), cache);
      const onward = async (): Promise<number[]> => {
        const seen: number[] = [];
        for (let position = 60; position < 70; position++) {
          seen.push(...floatData(await decode(rowsAt([position]), cache)));
        }
        return seen;
      };
      const first = await onward();
      cache.rewind(60);
      expect(cache.rows).toBe(60);
      expect(await onward()).toEqual(first);
    });

    it('gives each of several sequences what it has alone, to the bit, and the target it was given', async () => {
      const decode = await open(runtime, shape, { type });
      const together = emptyCache(3);
      const alone = [emptyCache(1), emptyCache(1), emptyCache(1)];
      const target = floats(new Float32Array(3 * heads * headDim), [3, 1, heads * headDim]);
      // The second sequence ends after 20 tokens, the others see buffers grow without it.
      for (let step = 0; step < 70; step++) {
        const active = [true, step < 20, true];
        const attention = await decode(
          { ...rowsAt([step, step, step]), active, attention: target },
          together,
        );
        if (kind === 'native') expect(attention).toBe(target);
        for (const [sequence, cache] of alone.entries()) {
          if (!active[sequence]) continue;
          const own = floatData(await decode(rowsAt([step]), cache));
          const width = heads * headDim;
          expect(floatData(attention).subarray(sequence * width, (sequence + 1) * width)).toEqual(own);
        }
      }
      expect([...together.used]).toEqual([70, 20, 70]);
      expectClose(floatData(await decode(rowsAt([70]), alone[0]!)), expected(70));
    });
  });
});

describe.each(sessionKinds)('int8 attention with %s sessions', (kind) => {
  const shape = { heads: 2, kvHeads: 1, headDim: 8 };
  const scale = 0.5;

  it('rounds new rows half to even and cuts off what is beyond the range', async () => {
    const runtime = await openRuntime(kind, 1);
    const open = kind === 'native' ? openInPlaceDecodeAttention : openDecodeAttention;
    const decode = await open(runtime, shape, { type: 'int8' });
    const rows = (values: readonly number[]): Tensor =>
      floats(Float32Array.from(values), [1, 1, values.length]);
    const scales = new Float32Array(8).fill(scale);
    const [keys, values] = [new Int8Array(64 * 8), new Int8Array(64 * 8)];
    const buffers = { type: 'int8', keys, values, scales: { keys: scales, values: scales } } as const;
    const cache = new LayerCache({ heads: 1, headDim: 8, rows: 0, capacity: 64, buffers });
    const key = [0.25, 0.75, 1.25, -0.25, -0.75, 63.5, 64.2, -100];
    await decode({ query: rows(new Array(16).fill(1)), key: rows(key), value: rows(key) }, cache);
    const expected = [0, 2, 2, 0, -2, 127, 127, -128];
    expect([...values.subarray(0, 8)].map((value) => value + 0)).toEqual(expected);
    expect([...keys.subarray(0, 8)].map((value) => value + 0)).toEqual(expected);
    await runtime.close();
  });
});
