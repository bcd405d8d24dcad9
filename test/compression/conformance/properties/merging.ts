import { expect } from 'vitest';
import { headRows, keptOf } from '../../../support/compress.js';
import { always, type Property, shown } from '../property.js';
import { merges, type Subject, stagesOf } from '../subjects.js';
import type { Run } from '../world.js';

export const staysFinite: Property = {
  name: 'finite',
  says: 'gives finite rows, also of keys without length',
  applies: always,
  async check(subject, { world }) {
    const runs = world.runs();
    for (const run of runs) {
      const { cache } = await world.alone(subject, run);
      expect(cache.keys.every(Number.isFinite), shown(run)).toBe(true);
      expect(cache.values.every(Number.isFinite), shown(run)).toBe(true);
    }
    return runs.length;
  },
};

const mergeName = (subject: Subject): string | undefined =>
  stagesOf(subject)?.composition.merge.id.split(' ')[0];

/** Whether merged rows are means of rows, not scaled by similarities. */
function takesMeans(subject: Subject): boolean {
  return ['average', 'pivotal', 'released-average', 'released-pivotal'].includes(mergeName(subject) ?? '');
}

/**
 * Whether a row gets the tokens it is nearest to and no others: the release's average gives it others, and so does its
 * pivotal merge where a key has no length.
 */
function mergesNearest(subject: Subject, { scenario }: Run): boolean {
  const name = mergeName(subject);
  if (name === 'released-average') return false;
  return name !== 'released-pivotal' || scenario.name !== 'keys without length';
}

/** Rounding of a mean of numbers of about 1. */
const rounding = 1e-6;

export const staysInHull: Property = {
  name: 'hull',
  says: 'merges into a row nothing beyond the least and largest of the row and the tokens assigned to it, or of all where the release gives it others',
  applies: takesMeans,
  async check(subject, { world }) {
    let merged = 0;
    for (const run of world.runs()) {
      const { layer, length } = run;
      const { cache } = await world.alone(subject, run);
      if (cache.merged === undefined) continue;
      const { evicted, targets } = cache.merged;
      const evictedRows = length - cache.rows;
      for (let head = 0; head < layer.heads; head++) {
        const kept = keptOf(cache, head);
        const nearest = mergesNearest(subject, run);
        const assigned = kept.map((position) => (nearest ? [position] : [...kept]));
        for (let e = head * evictedRows; e < (head + 1) * evictedRows; e++) {
          for (const among of nearest ? [assigned[targets[e]!]!] : assigned) among.push(evicted[e]!);
        }
        for (const of of ['keys', 'values'] as const) {
          const at = { head, headDim: layer.headDim };
          const source = headRows(layer[of], { ...at, rows: length, capacity: layer.capacity });
          const rows = headRows(cache[of], { ...at, rows: cache.rows, capacity: cache.capacity });
          let outside = 0;
          for (const [row, numbers] of rows.entries()) {
            for (const [d, number] of numbers.entries()) {
              const among = assigned[row]!.map((position) => source[position]![d]!);
              if (number < Math.min(...among) - rounding || number > Math.max(...among) + rounding) outside++;
            }
          }
          expect(outside, shown(run)).toBe(0);
        }
      }
      merged++;
    }
    return merged;
  },
};

export const changesMergedRows: Property = {
  name: 'merges',
  says: 'changes some row when it evicts, where it merges at all, and none where it only evicts',
  applies: (subject) => stagesOf(subject) !== null,
  async check(subject, { world }) {
    let evicting = 0;
    let changing = 0;
    const runs = world.runs();
    for (const run of runs) {
      const { layer, length } = run;
      const { cache } = await world.alone(subject, run);
      if (cache.rows === 0 || cache.rows === length) continue;
      evicting++;
      let changed = false;
      for (let head = 0; head < layer.heads; head++) {
        const at = { head, headDim: layer.headDim };
        const source = headRows(layer.values, { ...at, rows: length, capacity: layer.capacity });
        const rows = headRows(cache.values, { ...at, rows: cache.rows, capacity: cache.capacity });
        for (const [row, position] of keptOf(cache, head).entries())
          if (rows[row]!.some((number, d) => number !== source[position]![d])) changed = true;
      }
      if (changed) changing++;
    }
    if (merges(subject)) expect(changing).toBeGreaterThan(evicting / 2);
    else expect(changing).toBe(0);
    return evicting;
  },
};
