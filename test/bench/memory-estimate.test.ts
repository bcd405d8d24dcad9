import { describe, expect, test } from 'vitest';
import { type BackboneSize, estimateMemory, leastBytes, mostBytes } from '../../src/bench/memory-estimate.js';
import type { Cell } from '../../src/bench/record.js';
import { MethodSet } from '../../src/compression/method-set.js';
import { methods } from '../../src/compression/registry.js';
import { parseBudget } from '../../src/config/budget.js';
import { cacheCapacity } from '../../src/engine/layer-cache.js';
import { compressAlone, policyOf } from '../support/compress.js';
import { randomLayer } from '../support/random-layer.js';

const heads = 2;
const headDim = 4;
const layers = 3;
const backbone: BackboneSize = {
  tokensPerImage: 60,
  weights: 1000,
  text: {
    ...{ hiddenSize: 8, intermediateSize: 16, layers, heads, kvHeads: heads, headDim, vocabSize: 10 },
    ...{ rmsNormEps: 1e-5, ropeTheta: 1e4, maxPositions: 1000 },
  },
};
const set = new MethodSet();

function cellOf(method: string, semantics: Cell['semantics'], written: string): Cell {
  const parsed = parseBudget(written);
  if ('problem' in parsed) throw new Error(written);
  return { method, semantics, budget: parsed.budget, firstToken: 'prefill' };
}

function estimateOf(cells: readonly Cell[], prompt = { text: 40, images: 60 }, maxNewTokens = 5) {
  return estimateMemory({ backbone, cells, methods: set, prompt, maxNewTokens, decoding: 'alone' });
}

/** Bytes of a cache of some rows in every layer, after an answer. */
const cacheBytes = (rows: number, maxNewTokens: number): number =>
  layers * cacheCapacity(rows + maxNewTokens) * heads * headDim * 2 * 4;

describe('estimateMemory', () => {
  const names = [...Object.keys(methods), 'matched:look-m-tp-p'];
  const prompts = [
    { text: 40, images: 60 },
    { text: 90, images: 10 },
    { text: 100, images: 0 },
  ];
  const cases = names.flatMap((name) =>
    (['release', 'paper'] as const).flatMap((semantics) =>
      ['20%', '5%', '0.3+0.4', '12tok', '1KiB'].map((budget) => ({ name, semantics, budget })),
    ),
  );

  test.each(cases)('$name ($semantics) at $budget keeps no more rows than estimated', async (one) => {
    for (const prompt of prompts) {
      const length = prompt.text + prompt.images;
      const layer = randomLayer({
        ...{ heads, headDim, length, layers, seed: 7 },
        images: [{ start: 10, length: prompt.images }],
      });
      const cell = cellOf(one.name, one.semantics, one.budget);
      const { cache } = await compressAlone(layer, policyOf(one.name, one.semantics), cell.budget);
      const { caches } = estimateOf([cell], prompt);
      expect(caches).toBeGreaterThanOrEqual(cacheBytes(cache.rows, 5));
      expect(caches).toBeLessThanOrEqual(cacheBytes(Math.max(cache.rows, Math.ceil(length * 0.7)), 5));
    }
  });

  test('counts every cell, and the largest of them alone', () => {
    const full: Cell = { method: 'full', semantics: 'release', budget: null, firstToken: 'prefill' };
    const h2o = cellOf('h2o', 'release', '20%');
    const estimate = estimateOf([full, h2o, h2o]);
    expect(estimate.largestCache).toBe(cacheBytes(100, 5));
    expect(estimate.caches).toBe(cacheBytes(100, 5) + 2 * cacheBytes(20, 5));
    expect(mostBytes(estimate) - leastBytes(estimate)).toBe(2 * cacheBytes(20, 5));
    expect(estimate.layer).toBe(100 * heads * headDim * 2 * 4);
  });

  test('knows that text stays beyond the budget where the method keeps it', () => {
    const { caches } = estimateOf([cellOf('look-m-tp', 'release', '20%')], { text: 500, images: 100 });
    expect(caches).toBe(cacheBytes(560, 5));
  });

  test('counts the answers of all cells that decode together, and one where they decode alone', () => {
    const cells = [cellOf('h2o', 'release', '20%'), cellOf('h2o', 'release', '5%')];
    const of = (decoding: 'alone' | 'together') =>
      estimateMemory({
        ...{ backbone, cells, methods: set, prompt: { text: 40, images: 60 }, maxNewTokens: 200, decoding },
      });
    expect(of('together').caches).toBe(cacheBytes(20, 200) + cacheBytes(4, 200));
    expect(of('alone').caches).toBe(cacheBytes(20, 200) + cacheBytes(4, 0));
    expect(of('alone').largestCache).toBe(of('together').largestCache);
  });
});
