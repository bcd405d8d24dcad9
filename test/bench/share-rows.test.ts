import { describe, expect, it } from 'vitest';
import type { StoredLayer } from '../../src/bench/prefill-cells.js';
import { RowStore, type StoredRows, type TakenRows } from '../../src/bench/row-store.js';
import { shareRows } from '../../src/bench/share-rows.js';
import { openSpillFile } from '../../src/bench/spill-file.js';
import type { CacheRows } from '../../src/compression/compressed-layer.js';
import { FloatPool } from '../../src/core/float-pool.js';
import { LayerCache } from '../../src/engine/layer-cache.js';
import { scratch } from './fake-run.js';

const heads = 2;
const headDim = 2;

/** Rows filled with one number; room for one more. */
function rowsOf(value: number): CacheRows {
  const capacity = 3;
  const filled = (): Float32Array => new Float32Array(heads * capacity * headDim).fill(value);
  return {
    type: 'float32',
    rows: 2,
    capacity,
    keys: filled(),
    values: filled(),
    kept: Int32Array.of(0, 1, 0, 1),
  };
}

interface Holder {
  readonly name: string;
  readonly kind: string;
  readonly layers: readonly StoredLayer[];
}

function holder(name: string, kind: string, ...caches: readonly StoredRows[]): Holder {
  const nominal = { recent: 1, important: 1 };
  const about = { outcome: { kind: 'compressed' }, nominal, remark: null, milliseconds: 0 } as const;
  return { name, kind, layers: caches.map((cache) => ({ ...about, cache })) };
}

function newStore(): RowStore {
  return new RowStore(new FloatPool(), null);
}

function namesOf(holders: readonly Holder[]): string[][] {
  const groups = shareRows(holders, ({ kind }) => kind, newStore());
  return groups.map(({ members }) => members.map(({ name }) => name));
}

describe('holders of compressed layers', () => {
  const [a, b, c] = [rowsOf(1), rowsOf(2), rowsOf(3)];

  it('are one group when their rows are the same in every layer', () => {
    const holders = [holder('p', 'x', a, b), holder('q', 'x', a, c), holder('r', 'x', a, b)];
    expect(namesOf(holders)).toEqual([['p', 'r'], ['q']]);
  });

  it('are never one group when their kinds differ', () => {
    expect(namesOf([holder('p', 'x', a), holder('q', 'y', a)])).toEqual([['p'], ['q']]);
  });

  it('are told apart by which rows they hold, not by what is in them', () => {
    expect(namesOf([holder('p', 'x', rowsOf(1)), holder('q', 'x', rowsOf(1))])).toEqual([['p'], ['q']]);
  });

  it('are told apart by the order of layers', () => {
    expect(namesOf([holder('p', 'x', a, b), holder('q', 'x', b, a)])).toEqual([['p'], ['q']]);
  });
});

describe('taking rows', () => {
  it('copies exactly those that a later group has yet to take', async () => {
    const store = newStore();
    const given = [rowsOf(1), rowsOf(2), rowsOf(3)];
    const stored: StoredRows[] = [];
    for (const rows of given) stored.push(await store.put(rows, 'memory'));
    const [shared, own, also] = stored;
    const holders = [
      holder('p', 'x', shared!, own!),
      holder('q', 'y', shared!, also!),
      holder('r', 'z', shared!, also!),
    ];
    const taken: TakenRows['keys'][][] = [];
    for (const { take } of shareRows(holders, ({ kind }) => kind, store)) {
      taken.push([(await take(0)).keys, (await take(1)).keys]);
    }
    const [p, q, r] = taken;
    expect(p![0]).not.toBe(given[0]!.keys);
    expect(p![1]).toBe(given[1]!.keys);
    expect(q![0]).not.toBe(given[0]!.keys);
    expect(q![0]).not.toBe(p![0]);
    expect(q![1]).not.toBe(given[2]!.keys);
    expect(r![0]).toBe(given[0]!.keys);
    expect(r![1]).toBe(given[2]!.keys);
  });

  it.each(['memory', 'file'] as const)(
    'from %s gives every group rows that nothing appended elsewhere shows in',
    async (place) => {
      const file = await openSpillFile(await scratch());
      const store = new RowStore(new FloatPool(), file);
      const shared = await store.put(rowsOf(1), place);
      const holders = ['x', 'y', 'z'].map((kind) => holder(kind, kind, shared));
      for (const [index, { take }] of shareRows(holders, ({ kind }) => kind, store).entries()) {
        const rows = await take(0);
        expect(rows.keys).toEqual(new Float32Array(12).fill(1));
        expect(rows.values).toEqual(new Float32Array(12).fill(1));
        expect(rows).toMatchObject({ rows: 2, capacity: 3 });
        const cache = new LayerCache({ heads, headDim, rows: 2, capacity: 3, buffers: rows });
        cache.append(new Float32Array(4).fill(100 + index), new Float32Array(4).fill(200 + index));
        expect(cache.buffers.keys[2 * headDim]).toBe(100 + index);
      }
      await file.close();
    },
  );

  it('a second time after the last is a mistake', async () => {
    const store = newStore();
    const stored = await store.put(rowsOf(1), 'memory');
    await store.take(stored, false);
    await expect(store.take(stored, false)).rejects.toThrow('does not hold');
  });
});
