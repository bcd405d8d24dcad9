import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LayerInput } from '../../../src/compression/layer-input.js';
import { methods } from '../../../src/compression/registry.js';
import { rowBudget } from '../../../src/compression/row-budget.js';
import type { Budget } from '../../../src/core/budget.js';
import { compressAlone, keptOf, policyOf } from '../../support/compress.js';
import { budgetArbitrary, layerArbitrary } from '../../support/layer-arbitrary.js';
import { randomLayer } from '../../support/random-layer.js';
import { leftAlone, releasedKept, releasedRules } from '../../support/release/released-selection.js';

const drawingLots = ['random', 'image-random'];

async function expectReleasedSelection(name: string, layer: LayerInput, budget: Budget): Promise<void> {
  const rule = releasedRules[name]!;
  const rows = rowBudget(budget, { length: layer.length, positionBytes: 1 });
  const { outcome, cache, nominal } = await compressAlone(layer, policyOf(name, 'release'), budget);
  const reason = leftAlone(rule, layer, rows);
  expect(outcome).toEqual(reason === null ? { kind: 'compressed' } : { kind: 'unchanged', reason });
  expect(nominal).toEqual(rows);
  const everything = Array.from({ length: layer.length }, (_, position) => position);
  for (let head = 0; head < layer.heads; head++) {
    const expected = reason === null ? releasedKept(rule, layer, head, rows) : everything;
    expect(keptOf(cache, head)).toEqual(expected);
  }
}

it('every released method is stated here', () => {
  const evicting = Object.values(methods).filter(({ definitions }) => definitions !== null);
  expect([...Object.keys(releasedRules), ...drawingLots].sort()).toEqual(
    evicting.map(({ name }) => name).sort(),
  );
});

describe.each(Object.keys(releasedRules))('%s of the release', (name) => {
  it('conserves what sorting by its formula gives', async () => {
    await fc.assert(
      fc.asyncProperty(layerArbitrary(), budgetArbitrary, (layer, budget) =>
        expectReleasedSelection(name, layer, budget),
      ),
      { numRuns: 150 },
    );
  });

  it('takes the lower position of equal scores', async () => {
    await fc.assert(
      fc.asyncProperty(layerArbitrary({ grades: 3 }), budgetArbitrary, (layer, budget) =>
        expectReleasedSelection(name, layer, budget),
      ),
      { numRuns: 80 },
    );
  });
});

describe('the release', () => {
  const budget = { kind: 'ratio', recent: 0.05, important: 0.05 } as const;
  const layer = randomLayer({
    ...{ heads: 2, headDim: 4, length: 100, seed: 5 },
    images: [{ start: 20, length: 60 }],
  });

  it.each(['look-m-a', 'look-m-w', 'look-m-p'])(
    '%s keeps the first four tokens before any other',
    async (name) => {
      const { cache } = await compressAlone(layer, policyOf(name, 'release'), budget);
      for (let head = 0; head < layer.heads; head++) {
        expect(keptOf(cache, head).slice(0, 4)).toEqual([0, 1, 2, 3]);
      }
      expect(cache.rows).toBe(10);
    },
  );

  it.each(['look-m-tp-a', 'look-m-tp-w', 'look-m-tp-p', 'look-m-tp'])(
    '%s keeps all text, even beyond the budget, and images only with what is left',
    async (name) => {
      const policy = policyOf(name, 'release');
      const textBeforeWindow = 35;
      const small = await compressAlone(layer, policy, budget);
      expect(small.cache.rows).toBe(5 + textBeforeWindow);
      const large = await compressAlone(layer, policy, { ...budget, important: 0.45 });
      expect(large.cache.rows).toBe(5 + 45);
      const text = Array.from({ length: 100 }, (_, i) => i).filter((i) => layer.modality[i] === 0);
      for (const { cache } of [small, large])
        for (let head = 0; head < layer.heads; head++)
          expect(keptOf(cache, head)).toEqual(expect.arrayContaining(text));
    },
  );

  it('snapkv orders by score, also a prompt that fits its budget exactly', async () => {
    const policy = policyOf('snapkv', 'release');
    const half = { kind: 'ratio', recent: 0.5, important: 0.5 } as const;
    const { outcome, cache } = await compressAlone(layer, policy, half);
    expect(outcome).toEqual({ kind: 'compressed' });
    for (let head = 0; head < layer.heads; head++) {
      const kept = keptOf(cache, head);
      expect(kept).not.toEqual([...kept].sort((a, b) => a - b));
      expect([...kept].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
      expect(kept.slice(50)).toEqual(Array.from({ length: 50 }, (_, i) => 50 + i));
    }
  });

  it.each([
    ['h2o', 0],
    ['roco', 0],
    ['snapkv', 100],
    ['look-m-a', 100],
    ['look-m-tp-p', 100],
    ['look-m-tp', 100],
  ])('%s leaves %i of 100 rows where a budget comes to none', async (name, rows) => {
    const nothing = { kind: 'ratio', recent: 0.001, important: 0.001 } as const;
    const { cache } = await compressAlone(layer, policyOf(name, 'release'), nothing);
    expect(cache.rows).toBe(rows);
  });
});

describe.each(drawingLots)('%s', (name) => {
  const options = {
    ...{ heads: 2, headDim: 4, length: 100, seed: 5, layers: 2 },
    images: [{ start: 20, length: 60 }],
  };
  const keptWith = async (change: object, important = 0.5): Promise<number[][]> => {
    const layer = { ...randomLayer(options), ...change };
    const budget = { kind: 'ratio', recent: 0.1, important } as const;
    const { cache } = await compressAlone(layer, policyOf(name, 'release'), budget);
    return Array.from({ length: options.heads }, (_, head) => keptOf(cache, head));
  };

  it('draws by seed, layer and head, and the same again', async () => {
    const kept = await keptWith({});
    expect(await keptWith({})).toEqual(kept);
    expect(await keptWith({ seed: 6 })).not.toEqual(kept);
    expect(await keptWith({ layer: 1 })).not.toEqual(kept);
    expect(kept[0]).not.toEqual(kept[1]);
  });

  it('keeps under a smaller budget a part of what it keeps under a larger one', async () => {
    const large = await keptWith({}, 0.6);
    for (const [head, small] of (await keptWith({}, 0.4)).entries()) {
      expect(small.length).toBeLessThan(large[head]!.length);
      expect(large[head]).toEqual(expect.arrayContaining(small));
    }
  });
});
