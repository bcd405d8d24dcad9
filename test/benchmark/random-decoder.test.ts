import { afterEach, describe, expect, it } from 'vitest';
import { decodeBytes, prefillFlops, sevenB } from '../../src/benchmark/decoder-shape.js';
import { promptByLayers, runPrompt } from '../../src/benchmark/prompt.js';
import { RandomCache } from '../../src/benchmark/random-cache.js';
import { openRandomDecoder } from '../../src/benchmark/random-decoder.js';
import type { TimedFormat } from '../../src/benchmark/random-weights.js';
import { withModelDirectory } from '../../src/benchmark/temporary-models.js';
import { Runtime } from '../../src/engine/runtime.js';

const shape = {
  hiddenSize: 64,
  intermediateSize: 128,
  layers: 3,
  heads: 4,
  kvHeads: 4,
  headDim: 16,
  vocabSize: 32,
  rmsNormEps: 1e-5,
  ropeTheta: 10000,
  maxPositions: 128,
};

const formats: readonly TimedFormat[] = [
  { dtype: 'fp32' },
  { dtype: 'int4', blockSize: 32 },
  { dtype: 'int8', blockSize: 64 },
];

const runtime = new Runtime({ threads: 1 });
afterEach(() => runtime.close());

describe('a random decoder', () => {
  it.each(formats)(
    'of $dtype runs prompts and tokens as the engine does, with finite logits',
    async (format) => {
      await withModelDirectory(async (directory) => {
        const model = await openRandomDecoder(runtime, directory, shape, format);
        await runPrompt(model, 20);
        expect(model.counters.prefills).toBe(1);
        const logits = await new RandomCache(shape, 70).step(model, new Float32Array(64).fill(0.1));
        expect(logits).toHaveLength(32);
        expect(logits.every((value) => Number.isFinite(value))).toBe(true);
        expect(new Set(logits).size).toBeGreaterThan(1);
      });
    },
  );

  it('finds its cache as before in every step', async () => {
    await withModelDirectory(async (directory) => {
      const model = await openRandomDecoder(runtime, directory, shape, { dtype: 'fp32' });
      const cache = new RandomCache(shape, 64);
      const embedding = new Float32Array(64).fill(0.1);
      const first = Array.from(await cache.step(model, embedding));
      expect(Array.from(await cache.step(model, embedding))).toEqual(first);
    });
  });

  it('stops once a layer', async () => {
    await withModelDirectory(async (directory) => {
      const model = await openRandomDecoder(runtime, directory, shape, { dtype: 'fp32' });
      let stops = 0;
      for await (const _ of promptByLayers(model, 20)) stops++;
      expect(stops).toBe(3);
    });
  });
});

describe('work of LLaVA-1.5-7B', () => {
  // 202.4 million weights a layer: 4 * 4096^2 + 3 * 4096 * 11008.
  const weights = 4 * 202_375_168;

  it('counts the stored bytes a token reads', () => {
    expect(decodeBytes(sevenB, { dtype: 'fp32' }, 0)).toBe(4 * weights);
    // 16 bytes of values, a float32 scale and half a byte of zero point for 32 weights
    expect(decodeBytes(sevenB, { dtype: 'int4', blockSize: 32 }, 0)).toBe((20.5 * weights) / 32);
    const row = 4 * 2 * 4096 * 4;
    const grown = decodeBytes(sevenB, { dtype: 'fp32' }, 100) - decodeBytes(sevenB, { dtype: 'fp32' }, 0);
    expect(grown).toBe(100 * row);
  });

  it('counts the operations of a prompt', () => {
    // Two for each weight, and for each pair of a query and a key it sees four for each element of a head.
    expect(prefillFlops(sevenB, 1)).toBe(2 * weights + 4 * 4 * 4096);
    expect(prefillFlops(sevenB, 3)).toBe(3 * 2 * weights + 6 * 4 * 4 * 4096);
  });
});
