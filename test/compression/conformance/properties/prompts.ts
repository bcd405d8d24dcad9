import { expect } from 'vitest';
import { LayerCompressor } from '../../../../src/compression/layer-compressor.js';

import { PoisonedPool } from '../../../support/poisoned-pool.js';
import { prefillLayer } from '../../../support/prefill-layer.js';
import { randomPrompt } from '../../../support/random-prompt.js';
import { budgetsFor } from '../budgets.js';
import { always, type Property, sameBits, shown } from '../property.js';
import { layerCount, stagesOf } from '../subjects.js';
import { allNeeds, type Run } from '../world.js';

export const takesOneToken: Property = {
  name: 'one token',
  says: 'takes a prompt of one token, also without it',
  applies: always,
  async check(subject, { world }) {
    const runs = world.runs(['one token', 'one image token']);
    for (const run of runs) {
      const { cache } = await world.alone(subject, run);
      expect(cache.rows, shown(run)).toBeLessThanOrEqual(run.length);
      if (run.budget.kind !== 'ratio') expect(cache.rows, shown(run)).toBe(run.length);
    }
    return runs.length;
  },
};

export const leavesTextAlone: Property = {
  name: 'text alone',
  says: 'leaves a prompt without an image as it is',
  applies: ({ name, semantics }) => semantics === 'release' && name !== 'snapkv',
  async check(subject, { world }) {
    const runs = world.runs(['no image', 'one token']);
    for (const run of runs) {
      const { cache, outcome } = await world.alone(subject, run);
      expect(outcome.kind, shown(run)).toBe('unchanged');
      expect(cache.rows, shown(run)).toBe(run.length);
    }
    return runs.length;
  },
};

export const compressesImagesAlone: Property = {
  name: 'images alone',
  says: 'compresses a prompt of images alone, without a token of text',
  applies: (subject) => stagesOf(subject) !== null,
  async check(subject, { world }) {
    let compressed = 0;
    for (const run of world.runs(['all image'])) {
      const { cache, outcome, nominal } = await world.alone(subject, run);
      const rows = nominal.recent + nominal.important;
      if (rows === 0 || rows >= run.length) continue;
      expect(outcome, shown(run)).toEqual({ kind: 'compressed' });
      expect(cache.rows, shown(run)).toBeLessThanOrEqual(rows);
      compressed++;
    }
    return compressed;
  },
};

/** Query heads of one key/value head in the test of equal ones. */
const sharing = 3;

export const averagesSharedHeads: Property = {
  name: 'shared heads',
  says: 'keeps with equal query heads on a shared key/value head what it keeps with one of them',
  applies: always,
  async check(subject, { world }) {
    const shape = { heads: 2, kvHeads: 2, headDim: 8 };
    const images = [{ start: 6, length: 24 }];
    let compared = 0;
    for (const seed of [31, 32]) {
      const single = randomPrompt({ shape, length: 45, images, seed });
      const perHead = single.queries.length / shape.heads;
      const queries = new Float32Array(sharing * single.queries.length);
      for (let head = 0; head < sharing * shape.heads; head++) {
        const from = Math.floor(head / sharing) * perHead;
        queries.set(single.queries.subarray(from, from + perHead), head * perHead);
      }
      const shared = { ...single, heads: sharing * shape.heads, queries };
      const at = { layer: 1, layers: layerCount, seed, chunkRows: 11, needs: allNeeds(single, 1) };
      const [one, many] = [
        await prefillLayer(world.kernels, single, at),
        await prefillLayer(world.kernels, shared, at),
      ];
      for (const budget of budgetsFor(single)) {
        const compress = (layer: Run['layer']) =>
          new LayerCompressor(layer, { ...world.tools, pool: new PoisonedPool() }).compress(
            subject.policy,
            budget,
            layer.length,
          );
        const [expected, actual] = [await compress(one), await compress(many)];
        expect(sameBits(actual.cache.kept, expected.cache.kept), JSON.stringify(budget)).toBe(true);
        compared++;
      }
    }
    return compared;
  },
};
