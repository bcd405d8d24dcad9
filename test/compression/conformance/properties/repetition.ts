import { expect } from 'vitest';
import { LayerCompressor } from '../../../../src/compression/layer-compressor.js';
import { always, type Property, sameBits, sameResult, shown } from '../property.js';

export const repeatsItself: Property = {
  name: 'repeatable',
  says: 'gives the same bits again, from another compressor and from the same one',
  applies: always,
  async check(subject, { world }) {
    const runs = world.runs();
    for (const run of runs) {
      const first = await world.alone(subject, run);
      const compressor = new LayerCompressor(run.layer, world.tools);
      for (let times = 0; times < 2; times++) {
        const again = await compressor.compress(subject.policy, run.budget, run.length);
        expect(sameResult(again, first), shown(run)).toBe(true);
      }
      compressor.close();
    }
    return runs.length;
  },
};

export const ignoresThreads: Property = {
  name: 'threads',
  says: 'gives the same bits whether prefill and search run on one thread or on two',
  applies: always,
  async check(subject, { world, twoThreads }) {
    const runs = world.runs();
    const others = twoThreads.runs();
    for (const [index, run] of runs.entries()) {
      const one = await world.alone(subject, run);
      const two = await twoThreads.alone(subject, others[index]!);
      expect(sameResult(two, one), shown(run)).toBe(true);
    }
    return runs.length;
  },
};

export const ignoresCompany: Property = {
  name: 'company',
  says: 'gives the same bits whatever else the compressor of the layer ran before and after',
  applies: always,
  async check(subject, { world, together }) {
    let compared = 0;
    for (const [run, shared] of together.get(subject)!) {
      expect(sameResult(shared, await world.alone(subject, run)), shown(run)).toBe(true);
      compared++;
    }
    expect(compared).toBe(world.runs().length);
    return compared;
  },
};

export const leavesInputAlone: Property = {
  name: 'input',
  says: 'changes nothing of the layer it is given',
  applies: always,
  async check(subject, { world }) {
    const runs = world.runs();
    for (const run of runs) {
      const { layer, length } = run;
      const statistics = (): Float32Array[] =>
        length === 0 ? [] : [layer.statistics.columnSums(length), layer.statistics.columnSquares(length)];
      const copies = [layer.keys, layer.values, ...statistics()].map((data) => data.slice());
      const modality = layer.modality.slice();
      await world.compress(subject, run);
      for (const [index, data] of [layer.keys, layer.values, ...statistics()].entries()) {
        expect(sameBits(data, copies[index]!), shown(run)).toBe(true);
      }
      expect(layer.modality).toEqual(modality);
    }
    return runs.length;
  },
};

export const readsPromptAlone: Property = {
  name: 'beyond prompt',
  says: 'reads no row beyond the prompt rows that compression sees',
  applies: always,
  async check(subject, { world }) {
    const runs = world.runs();
    for (const run of runs) {
      const { layer, length } = run;
      const poisoned = (data: Float32Array, poison: number): Float32Array => {
        const copy = data.slice();
        for (let head = 0; head < layer.heads; head++) {
          const end = (head + 1) * layer.capacity * layer.headDim;
          copy.fill(poison, end - (layer.capacity - length) * layer.headDim, end);
        }
        return copy;
      };
      const expected = await world.alone(subject, run);
      for (const poison of [Number.NaN, 1e30]) {
        const modality = layer.modality.map((flag, i) => (i < length ? flag : 1));
        const keys = poisoned(layer.keys, poison);
        const values = poisoned(layer.values, poison);
        const actual = await world.compress(subject, { ...run, layer: { ...layer, keys, values, modality } });
        expect(sameResult(actual, expected), shown(run)).toBe(true);
      }
    }
    return runs.length;
  },
};
