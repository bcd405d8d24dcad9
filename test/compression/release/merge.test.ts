import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CacheRows } from '../../../src/compression/compressed-layer.js';
import type { LayerInput } from '../../../src/compression/layer-input.js';
import type { Budget } from '../../../src/core/budget.js';
import { compressAlone, headRows, keptOf, policyOf } from '../../support/compress.js';
import { budgetArbitrary, layerArbitrary } from '../../support/layer-arbitrary.js';
import { randomLayer } from '../../support/random-layer.js';
import { type MergingHead, type ReleasedMerge, releasedMerge } from '../../support/release/released-merge.js';

const rules = [
  ['look-m-a', 'average'],
  ['look-m-w', 'weighted'],
  ['look-m-p', 'pivotal'],
  ['look-m-tp-a', 'average'],
  ['look-m-tp-w', 'weighted'],
  ['look-m-tp-p', 'pivotal'],
] as const;

/** What the merge starts from: rows of the layer, and which of them the cache kept. */
function headsOf(layer: LayerInput, cache: CacheRows): MergingHead[] {
  const { heads, headDim, length, capacity } = layer;
  return Array.from({ length: heads }, (_, head) => {
    const kept = keptOf(cache, head);
    const at = { head, rows: length, capacity, headDim };
    const evicted = Array.from({ length }, (_, i) => i).filter((i) => !kept.includes(i));
    return { keys: headRows(layer.keys, at), values: headRows(layer.values, at), kept, evicted };
  });
}

function largestError(layer: LayerInput, cache: CacheRows, rule: ReleasedMerge): number {
  const expected = releasedMerge(headsOf(layer, cache), rule);
  let worst = 0;
  for (let head = 0; head < layer.heads; head++) {
    const at = { head, rows: cache.rows, capacity: cache.capacity, headDim: layer.headDim };
    for (const of of ['keys', 'values'] as const) {
      for (const [row, numbers] of headRows(cache[of], at).entries()) {
        for (const [d, number] of numbers.entries()) {
          const error = Math.abs(number - expected[of][head]![row]![d]!);
          worst = Math.max(worst, Number.isNaN(error) ? Number.POSITIVE_INFINITY : error);
        }
      }
    }
  }
  return worst;
}

/** Closer to a tie, float32 and float64 may decide differently. */
const leastMargin = 1e-6;

describe.each(rules)('%s of the release', (name, rule) => {
  const policy = policyOf(name, 'release');

  it(`merges as the literal ${rule} rule: mask, drop, scatter, mean`, async () => {
    const compare = async (layer: LayerInput, budget: Budget): Promise<void> => {
      const { cache } = await compressAlone(layer, policy, budget);
      fc.pre(cache.rows > 0 && cache.rows < layer.length);
      expect(cache.merged).toBeDefined();
      fc.pre(releasedMerge(headsOf(layer, cache), rule).margin >= leastMargin);
      expect(largestError(layer, cache, rule)).toBeLessThan(1e-6);
    };
    const layers = layerArbitrary({ leastHeadDim: 3 });
    await fc.assert(fc.asyncProperty(layers, budgetArbitrary, compare), { numRuns: 100 });
  });
});

const layer = randomLayer({
  ...{ heads: 2, headDim: 6, length: 60, seed: 12 },
  images: [{ start: 6, length: 48 }],
});
const budget = { kind: 'ratio', recent: 0.1, important: 0.3 } as const;

describe('the filter of the release', () => {
  it('drops tokens of less than average similarity, the same by their order in all heads', async () => {
    const { cache } = await compressAlone(layer, policyOf('look-m-w', 'release'), budget);
    const { mask } = releasedMerge(headsOf(layer, cache), 'weighted');
    const passing = mask.filter((passes) => passes).length;
    expect(passing).toBeGreaterThan(0);
    expect(passing).toBeLessThan(mask.length);
    const { targets } = cache.merged!;
    for (let head = 0; head < layer.heads; head++) {
      const merged = new Set(mask.flatMap((passes, e) => (passes ? [targets[head * mask.length + e]!] : [])));
      const at = { head, rows: cache.rows, capacity: cache.capacity, headDim: layer.headDim };
      const source = headRows(layer.keys, { ...at, rows: layer.length, capacity: layer.capacity });
      const kept = keptOf(cache, head);
      for (const [row, numbers] of headRows(cache.keys, at).entries()) {
        if (merged.has(row)) expect(numbers).not.toEqual(source[kept[row]!]);
        else expect(numbers).toEqual(source[kept[row]!]);
      }
    }
  });

  it('gives the r-th target that passes the r-th evicted token of all, under the average rule', async () => {
    const { cache } = await compressAlone(layer, policyOf('look-m-a', 'release'), budget);
    const [head] = headsOf(layer, cache);
    const { mask } = releasedMerge(headsOf(layer, cache), 'average');
    const passing = mask.flatMap((passes, e) => (passes ? [e] : []));
    const targets = passing.map((e) => cache.merged!.targets[e]!);
    const isAlone = (target: number): boolean => targets.filter((other) => other === target).length === 1;
    const alone = targets.findIndex((target, r) => isAlone(target) && passing[r] !== r);
    expect(alone).toBeGreaterThan(0);
    const at = { head: 0, rows: cache.rows, capacity: cache.capacity, headDim: layer.headDim };
    const row = headRows(cache.values, at)[targets[alone]!]!;
    const own = head!.values[head!.kept[targets[alone]!]!]!;
    const mispaired = head!.values[head!.evicted[alone]!]!;
    for (const [d, number] of row.entries()) expect(number).toBeCloseTo((own[d]! + mispaired[d]!) / 2, 6);
  });
});

it('rows without an assigned token stay bit for bit', async () => {
  const { cache } = await compressAlone(layer, policyOf('look-m-tp-p', 'release'), {
    ...{ kind: 'ratio', recent: 0.3, important: 0.6 },
  });
  const evictedRows = layer.length - cache.rows;
  for (let head = 0; head < layer.heads; head++) {
    const targets = new Set(cache.merged?.targets.subarray(head * evictedRows, (head + 1) * evictedRows));
    const at = { head, rows: cache.rows, capacity: cache.capacity, headDim: layer.headDim };
    const source = headRows(layer.keys, { ...at, rows: layer.length, capacity: layer.capacity });
    const untouched = keptOf(cache, head).filter((_, row) => !targets.has(row));
    expect(untouched.length).toBeGreaterThan(0);
    const rows = headRows(cache.keys, at).filter((_, row) => !targets.has(row));
    expect(rows).toEqual(untouched.map((position) => source[position]));
  }
});
