import { describe, expect, it } from 'vitest';
import type { LayerInput } from '../../../src/compression/layer-input.js';
import { compressAlone, headRows, keptOf, policyOf } from '../../support/compress.js';
import { randomLayer } from '../../support/random-layer.js';

const length = 40;
const heads = 2;
const headDim = 5;
const budget = { kind: 'ratio', recent: 0.1, important: 0.2 } as const;
const conservedRows = 4 + 8;

/** A layer whose keys at the positions given have no length; all of its scores fall from the first position on. */
function layerWithout(lengthOf: readonly { readonly head: number; readonly position: number }[]): LayerInput {
  const layer = randomLayer({ heads, headDim, length, seed: 21, images: [{ start: 0, length }] });
  for (const { head, position } of lengthOf) {
    const from = (head * length + position) * headDim;
    layer.keys.fill(0, from, from + headDim);
  }
  const falling = Float32Array.from({ length: heads * length }, (_, i) => length - (i % length));
  return { ...layer, statistics: { ...layer.statistics, columnSums: () => falling } };
}

const evictedOne = { head: 1, position: 20 };
/** Conserved as row 3. */
const conservedOne = { head: 1, position: 3 };

async function compressed(method: string, layer: LayerInput) {
  const { cache } = await compressAlone(layer, policyOf(method, 'release'), budget);
  expect(cache.rows).toBe(conservedRows);
  const rowsOf = (data: Float32Array, head: number): number[][] =>
    headRows(data, { head, rows: cache.rows, capacity: cache.capacity, headDim });
  const sourceOf = (data: Float32Array, head: number): number[][] =>
    headRows(data, { head, rows: length, capacity: length, headDim });
  return { cache, rowsOf, sourceOf };
}

describe.each([
  ['evicted', [evictedOne]],
  ['conserved', [conservedOne]],
] as const)('one %s key without length', (_which, positions) => {
  it.each(['look-m-a', 'look-m-w', 'look-m-tp-a', 'look-m-tp-w'])(
    'makes the average similarity NaN, so %s of the release merges nothing at all',
    async (method) => {
      const layer = layerWithout(positions);
      const { cache, rowsOf, sourceOf } = await compressed(method, layer);
      for (let head = 0; head < heads; head++) {
        const kept = keptOf(cache, head);
        expect(rowsOf(cache.keys, head)).toEqual(
          kept.map((position) => sourceOf(layer.keys, head)[position]),
        );
        expect(rowsOf(cache.values, head)).toEqual(
          kept.map((position) => sourceOf(layer.values, head)[position]),
        );
      }
    },
  );
});

describe.each(['look-m-p', 'look-m-tp-p'])('%s of the release', (method) => {
  it('merges an evicted key without length into the first row', async () => {
    const layer = layerWithout([evictedOne]);
    const { cache } = await compressed(method, layer);
    const column = evictedOne.position - (conservedRows - 4);
    const evictedRows = length - conservedRows;
    expect(cache.merged!.evicted[evictedOne.head * evictedRows + column]).toBe(evictedOne.position);
    expect(cache.merged!.targets[evictedOne.head * evictedRows + column]).toBe(0);
    expect(cache.keys.some(Number.isNaN)).toBe(false);
  });

  it('merges all evicted tokens of a head into its first conserved key without length', async () => {
    const layer = layerWithout([conservedOne, { ...conservedOne, position: 5 }]);
    const { cache, rowsOf, sourceOf } = await compressed(method, layer);
    const { head, position } = conservedOne;
    const kept = keptOf(cache, head);
    for (const of of ['keys', 'values'] as const) {
      const source = sourceOf(layer[of], head);
      const evicted = source.filter((_, i) => !kept.includes(i));
      const own = source[position]!;
      const n = evicted.length;
      const merged = own.map((x, d) => evicted.reduce((sum, row) => sum + (row[d]! + x) / 2, x) / (1 + n));
      for (const [row, numbers] of rowsOf(cache[of], head).entries()) {
        if (row !== kept.indexOf(position)) expect(numbers).toEqual(source[kept[row]!]);
        else for (const [d, number] of numbers.entries()) expect(number).toBeCloseTo(merged[d]!, 6);
      }
    }
  });

  it('merges an evicted key without length into the first row, also beside a conserved one', async () => {
    const layer = layerWithout([conservedOne, evictedOne]);
    const { cache, rowsOf, sourceOf } = await compressed(method, layer);
    const { head } = evictedOne;
    const [source, merged] = [sourceOf(layer.values, head), rowsOf(cache.values, head)];
    const own = source[keptOf(cache, head)[0]!]!;
    const added = source[evictedOne.position]!;
    for (const [d, x] of own.entries()) expect(merged[0]![d]).toBeCloseTo((x + (added[d]! + x) / 2) / 2, 6);
  });

  it('merges as usual in the heads that have none', async () => {
    const { cache } = await compressed(method, layerWithout([conservedOne]));
    const plain = await compressed(method, layerWithout([]));
    expect(cache.keys.slice(0, cache.capacity * headDim)).toEqual(
      plain.cache.keys.slice(0, cache.capacity * headDim),
    );
    expect(new Set(plain.cache.merged!.targets).size).toBeGreaterThan(1);
  });
});
