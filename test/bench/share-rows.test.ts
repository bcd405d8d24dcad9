import { describe, expect, it } from 'vitest';
import { shareRows } from '../../src/bench/share-rows.js';
import type { CacheRows, CompressedLayer } from '../../src/compression/compressed-layer.js';
import { FloatPool } from '../../src/core/float-pool.js';
import { LayerCache } from '../../src/engine/layer-cache.js';

const heads = 2;
const headDim = 2;

/** Rows filled with one number; room for one more. */
function rowsOf(value: number): CacheRows {
  const capacity = 3;
  const filled = (): Float32Array => new Float32Array(heads * capacity * headDim).fill(value);
  return { rows: 2, capacity, keys: filled(), values: filled(), kept: Int32Array.of(0, 1, 0, 1) };
}

interface Holder {
  readonly name: string;
  readonly kind: string;
  readonly layers: readonly CompressedLayer[];
}

function holder(name: string, kind: string, ...caches: readonly CacheRows[]): Holder {
  const nominal = { recent: 1, important: 1 };
  const about = { outcome: { kind: 'compressed' }, nominal, remark: null, milliseconds: 0 } as const;
  return { name, kind, layers: caches.map((cache) => ({ ...about, cache })) };
}

function share(holders: readonly Holder[]) {
  return shareRows(holders, ({ kind }) => kind, new FloatPool());
}

function namesOf(holders: readonly Holder[]): string[][] {
  return share(holders).map(({ members }) => members.map(({ name }) => name));
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
  it('copies exactly those that a later group has yet to take', () => {
    const [shared, own, also] = [rowsOf(1), rowsOf(2), rowsOf(3)];
    const groups = share([
      holder('p', 'x', shared, own),
      holder('q', 'y', shared, also),
      holder('r', 'z', shared, also),
    ]);
    const [p, q, r] = groups.map(({ take }) => take());
    expect(p![0]!.keys).not.toBe(shared.keys);
    expect(p![0]!.values).not.toBe(shared.values);
    expect(p![1]).toBe(own);
    expect(q![0]!.keys).not.toBe(shared.keys);
    expect(q![0]!.keys).not.toBe(p![0]!.keys);
    expect(q![1]!.keys).not.toBe(also.keys);
    expect(r).toEqual([shared, also]);
    expect(r![0]).toBe(shared);
    expect(r![1]).toBe(also);
  });

  it('copies nothing for the members of one group', () => {
    const shared = rowsOf(1);
    const [group] = share([holder('p', 'x', shared), holder('q', 'x', shared)]);
    expect(group!.take()[0]).toBe(shared);
  });

  it('gives every group rows that nothing appended elsewhere shows in', () => {
    const shared = rowsOf(1);
    const groups = share(['x', 'y', 'z'].map((kind) => holder(kind, kind, shared)));
    for (const [index, { take }] of groups.entries()) {
      const [rows] = take();
      expect(rows!.keys).toEqual(new Float32Array(12).fill(1));
      expect(rows!.values).toEqual(new Float32Array(12).fill(1));
      expect(rows).toMatchObject({ rows: 2, capacity: 3, kept: shared.kept });
      const cache = new LayerCache({ heads, headDim, ...rows! });
      cache.append(new Float32Array(4).fill(100 + index), new Float32Array(4).fill(200 + index));
      expect(cache.keys[2 * headDim]).toBe(100 + index);
    }
  });
});
