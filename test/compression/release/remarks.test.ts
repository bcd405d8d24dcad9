import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { methods } from '../../../src/compression/registry.js';
import { rowBudget } from '../../../src/compression/row-budget.js';
import { compressAlone, policyOf } from '../../support/compress.js';
import { budgetArbitrary, layerArbitrary } from '../../support/layer-arbitrary.js';
import { leftAlone, releasedRules } from '../../support/release/released-selection.js';

interface Prompt {
  readonly length: number;
  readonly recent: number;
  readonly important: number;
}
type Stated = (prompt: Prompt) => string | null;

const crash = (error: string, why: string, here: string): string =>
  `the published code stops with ${error} on this prompt (${why}): here ${here}`;

const merging: Stated = ({ length, recent, important }) => {
  if (recent === 0 && important === 0) {
    return crash('an IndexError', 'nothing to merge into', 'the full cache is kept');
  }
  return length - recent <= 3
    ? crash('a RuntimeError', 'fewer than four tokens before the recent window', 'those there are come first')
    : null;
};

const textPrior: Stated = ({ recent, important }) =>
  recent === 0 && important >= 1 ? crash('a RuntimeError', 'no recent row', 'the window is empty') : null;

const voting: Stated = ({ recent, important }) => {
  if (recent >= 1) return null;
  const here = important === 0 ? 'the full cache is kept' : 'the last query alone votes';
  return crash('a RuntimeError', 'no recent row', here);
};

/** When the published code does not run as it is, method by method; the others never remark on anything. */
const stated: Readonly<Record<string, Stated>> = {
  'look-m-a': merging,
  'look-m-w': merging,
  'look-m-p': merging,
  'look-m-tp-a': textPrior,
  'look-m-tp-w': textPrior,
  'look-m-tp-p': textPrior,
  'look-m-tp': textPrior,
  snapkv: voting,
  roco: () =>
    'the published code never calls this rule (the call is commented out): as published, RoCo is the full cache',
};

const evicting = Object.values(methods).filter(({ definitions }) => definitions !== null);

describe.each(evicting)('$name', ({ name }) => {
  it('remarks in the release exactly when its condition holds, and never where it leaves a prompt alone', async () => {
    const seen = new Set<string | null>();
    await fc.assert(
      fc.asyncProperty(layerArbitrary(), budgetArbitrary, async (layer, budget) => {
        const rows = rowBudget(budget, { length: layer.length, positionBytes: 1 });
        const reason = leftAlone(releasedRules[name] ?? releasedRules['h2o']!, layer, rows);
        const compresses = reason === null || reason === 'zero budget';
        const expected = compresses ? (stated[name]?.({ length: layer.length, ...rows }) ?? null) : null;
        const { remark } = await compressAlone(layer, policyOf(name, 'release'), budget);
        expect(remark).toBe(expected);
        seen.add(remark);
      }),
      { numRuns: 200, seed: 4 },
    );
    const texts = [...seen].filter((remark) => remark !== null).length;
    expect(texts).toBe(
      { snapkv: 2, roco: 1, 'look-m-a': 2, 'look-m-w': 2, 'look-m-p': 2 }[name as string] ??
        (stated[name] ? 1 : 0),
    );
  });

  it('never remarks in the paper semantics', async () => {
    await fc.assert(
      fc.asyncProperty(layerArbitrary(), budgetArbitrary, async (layer, budget) => {
        const { remark } = await compressAlone(layer, policyOf(name, 'paper'), budget);
        expect(remark).toBeNull();
      }),
      { numRuns: 40 },
    );
  });
});
