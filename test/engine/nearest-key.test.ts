import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { KeyRows } from '../../src/compression/merge/nearest-key.js';
import { seededRandom } from '../../src/core/seeded-random.js';
import { openNearestKeySearch } from '../../src/engine/nearest-key.js';
import { Runtime } from '../../src/engine/runtime.js';

const runtime = new Runtime({ threads: 2 });
afterAll(() => runtime.close());

/** Closer similarities may change places in float32. */
const leastMargin = 1e-6;

/** Cosine of an evicted key and every conserved one of its head, in float64; 0 where one has no length. */
function similarities(
  at: { readonly head: number; readonly row: number; readonly headDim: number },
  evicted: KeyRows,
  conserved: KeyRows,
): number[] {
  const rowOf = ({ data, rows }: KeyRows, row: number): Float32Array =>
    data.subarray((at.head * rows + row) * at.headDim, (at.head * rows + row + 1) * at.headDim);
  const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, x, d) => sum + x * b[d]!, 0);
  const own = rowOf(evicted, at.row);
  return Array.from({ length: conserved.rows }, (_, row) => {
    const other = rowOf(conserved, row);
    const lengths = Math.sqrt(dot(own, own) * dot(other, other));
    return lengths === 0 ? 0 : dot(own, other) / lengths;
  });
}

describe.each([3, 8])('the nearest-key search of %i numbers a key', (headDim) => {
  const opened = openNearestKeySearch(runtime, headDim);
  const shape = fc.record({
    heads: fc.integer({ min: 1, max: 3 }),
    evictedRows: fc.integer({ min: 1, max: 20 }),
    rows: fc.integer({ min: 1, max: 12 }),
    seed: fc.integer(),
    lengthless: fc.boolean(),
  });

  it('finds the row of largest cosine, the first to a key without length', async () => {
    const search = await opened;
    await fc.assert(
      fc.asyncProperty(shape, async ({ heads, evictedRows, rows, seed, lengthless }) => {
        const random = seededRandom(seed);
        const keysOf = (count: number): KeyRows => {
          const data = Float32Array.from({ length: heads * count * headDim }, () => random() * 2 - 1);
          const zeroed = Math.floor(random() * heads * count) * headDim;
          if (lengthless) data.fill(0, zeroed, zeroed + headDim);
          return { rows: count, data };
        };
        const [evicted, conserved] = [keysOf(evictedRows), keysOf(rows)];
        const found = await search({ heads, headDim, evicted, conserved });
        expect(found.length).toBe(heads * evictedRows);
        for (const [e, row] of found.entries()) {
          const at = { head: Math.floor(e / evictedRows), row: e % evictedRows, headDim };
          const all = similarities(at, evicted, conserved);
          const best = Math.max(...all);
          if (best === 0 && all.every((one) => one === 0)) expect(row).toBe(0);
          else expect(all[row]).toBeGreaterThan(best - leastMargin);
        }
      }),
      { numRuns: 300 },
    );
  });
});
