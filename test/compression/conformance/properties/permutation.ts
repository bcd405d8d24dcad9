import { expect } from 'vitest';
import type { CacheRows } from '../../../../src/compression/compressed-layer.js';
import type { LayerInput } from '../../../../src/compression/layer-input.js';
import { seededRandom, shuffled } from '../../../../src/core/seeded-random.js';
import { keptOf } from '../../../support/compress.js';
import { type Property, sameBits, shown } from '../property.js';
import { merges, type Subject, stagesOf } from '../subjects.js';
import type { Run } from '../world.js';

/** Evicted positions of one head. */
function evictedOf(cache: CacheRows, length: number, head: number): number[] {
  const kept = new Set(keptOf(cache, head));
  return Array.from({ length }, (_, position) => position).filter((position) => !kept.has(position));
}

/** Moves the rows of [heads, rows, width] of one head: what was at `from[i]` comes to `to[i]`. */
function moveRows(
  data: Float32Array,
  moves: { readonly from: readonly number[]; readonly to: readonly number[] },
  at: { readonly head: number; readonly rows: number; readonly width: number },
): void {
  const before = data.slice();
  for (const [i, position] of moves.from.entries()) {
    const from = (at.head * at.rows + position) * at.width;
    data.set(before.subarray(from, from + at.width), (at.head * at.rows + moves.to[i]!) * at.width);
  }
}

/** The layer with keys and values of its evicted tokens in another order, the same by their rank in all heads. */
function withPermutedRows({ layer, length }: Run, cache: CacheRows): LayerInput {
  const keys = layer.keys.slice();
  const values = layer.values.slice();
  for (let head = 0; head < layer.heads; head++) {
    const from = evictedOf(cache, length, head);
    const to = shuffled(from, seededRandom(9));
    const at = { head, rows: layer.capacity, width: layer.headDim };
    moveRows(keys, { from, to }, at);
    moveRows(values, { from, to }, at);
  }
  return { ...layer, keys, values };
}

/** Whether a score is the same wherever a token stands, so that tokens can change places with theirs. */
function scoresByContent(subject: Subject): boolean {
  const { score, select } = stagesOf(subject)!.composition;
  return /^column-(sum|mean) /.test(score.id) && select.id.startsWith('top ');
}

/** The same with the attention they received; tokens change places with those of their tier. */
function withPermutedTokens(run: Run, cache: CacheRows, subject: Subject): LayerInput {
  const { layer, length } = run;
  const tiers = stagesOf(subject)!.composition.prior.rule({ ...layer, length });
  const keys = layer.keys.slice();
  const values = layer.values.slice();
  const sums = layer.statistics.columnSums(length).slice();
  for (let head = 0; head < layer.heads; head++) {
    const evicted = evictedOf(cache, length, head);
    for (const tier of new Set(tiers)) {
      const from = evicted.filter((position) => tiers[position] === tier);
      const moves = { from, to: shuffled(from, seededRandom(11)) };
      moveRows(keys, moves, { head, rows: layer.capacity, width: layer.headDim });
      moveRows(values, moves, { head, rows: layer.capacity, width: layer.headDim });
      moveRows(sums, moves, { head, rows: length, width: 1 });
    }
  }
  return { ...layer, keys, values, statistics: { ...layer.statistics, columnSums: () => sums } };
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((worst, number, i) => Math.max(worst, Math.abs(number - b[i]!)), 0);
}

/** The order of additions is all that changes. */
const rounding = 1e-6;

/** The published average gives the r-th target the r-th token, so that the order of tokens is part of what it does. */
const mispairs = (subject: Subject): boolean =>
  stagesOf(subject)!.composition.merge.id.startsWith('released-average');

export const ignoresOrderOfEvicted: Property = {
  name: 'evicted order',
  says: 'does not depend on the order of evicted tokens',
  applies: (subject) => stagesOf(subject) !== null && !mispairs(subject),
  async check(subject, { world }) {
    let compared = 0;
    const ordinary = ['one image', 'three images', 'one head', 'shared heads', 'all image'] as const;
    for (const run of world.runs(ordinary)) {
      const { cache } = await world.alone(subject, run);
      if (cache.rows === run.length) continue;
      const layers = [withPermutedRows(run, cache)];
      const movable = scoresByContent(subject) && run.scenario.name === 'one head';
      if (movable) layers.push(withPermutedTokens(run, cache, subject));
      for (const layer of layers) {
        const permuted = (await world.compress(subject, { ...run, layer })).cache;
        expect(sameBits(permuted.kept, cache.kept), shown(run)).toBe(true);
        for (const of of ['keys', 'values'] as const) {
          if (merges(subject)) {
            expect(largestDifference(permuted[of], cache[of]), shown(run)).toBeLessThan(rounding);
          } else expect(sameBits(permuted[of], cache[of]), shown(run)).toBe(true);
        }
        compared++;
      }
    }
    return compared;
  },
};
