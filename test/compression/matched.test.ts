import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MethodSemantics } from '../../src/compression/method-set.js';
import { methods } from '../../src/compression/registry.js';
import { compressAlone, policyOf } from '../support/compress.js';
import { budgetArbitrary, layerArbitrary } from '../support/layer-arbitrary.js';
import { randomLayer } from '../support/random-layer.js';

const evicting = Object.values(methods)
  .filter(({ definitions }) => definitions !== null)
  .map(({ name }) => name);

describe.each(['release', 'paper'] as const)('matched methods under %s', (semantics: MethodSemantics) => {
  it('keep as many rows as the method they are matched to, whatever rule, prompt and budget', async () => {
    const name = fc.constantFrom(...evicting);
    // A rule that drops every image may find too little text.
    const rule = fc.constantFrom(...evicting.filter((one) => one !== 'text-only'));
    await fc.assert(
      fc.asyncProperty(layerArbitrary(), budgetArbitrary, name, rule, async (layer, budget, target, own) => {
        const wanted = await compressAlone(layer, policyOf(target, semantics), budget);
        const matched = await compressAlone(layer, policyOf(`matched:${target}/${own}`, semantics), budget);
        expect(matched.cache.rows).toBe(wanted.cache.rows);
        expect(matched.outcome).toEqual(wanted.outcome);
        expect(matched.nominal).toEqual(wanted.nominal);
        expect(matched.remark).toBeNull();
      }),
      { numRuns: 400 },
    );
  });
});

describe('matched methods', () => {
  const images = [{ start: 10, length: 20 }];
  const layer = randomLayer({ heads: 2, headDim: 4, length: 40, images, seed: 3 });
  const text = randomLayer({ heads: 2, headDim: 4, length: 40, images: [], seed: 3 });
  const budget = { kind: 'tokens', recent: 4, important: 4 } as const;
  const rowsOf = async (method: string, on = layer, rows = budget) =>
    (await compressAlone(on, policyOf(method, 'release'), rows)).cache.rows;

  it('compress what the method compresses, also prompts that the rule would leave alone', async () => {
    expect(await rowsOf('h2o', text)).toBe(40);
    expect(await rowsOf('matched:snapkv', text)).toBe(8);
  });

  it('hold rules to the rows that would keep more', async () => {
    expect(await rowsOf('look-m-tp-p')).toBe(20);
    expect(await rowsOf('matched:h2o/look-m-tp-p')).toBe(8);
  });

  it('keep the method itself where rule and method are one', async () => {
    for (const method of evicting.filter((one) => !one.startsWith('look-m') && one !== 'text-only')) {
      const own = await compressAlone(layer, policyOf(method, 'paper'), budget);
      const matched = await compressAlone(layer, policyOf(`matched:${method}/${method}`, 'paper'), budget);
      expect(matched.cache).toEqual(own.cache);
    }
  });
});
