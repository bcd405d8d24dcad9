import fc from 'fast-check';
import { expect, it } from 'vitest';
import { storeRows } from '../../src/engine/store-rows.js';

it('puts every row of a chunk where its head and position say, and touches nothing else', () => {
  const shape = fc.record({
    start: fc.nat(5),
    count: fc.integer({ min: 1, max: 7 }),
    heads: fc.integer({ min: 1, max: 4 }),
    headDim: fc.constantFrom(1, 2, 5, 8, 12, 16, 32),
    slack: fc.nat(3),
    offset: fc.nat(2),
  });
  fc.assert(
    fc.property(shape, ({ slack, offset, ...rest }) => {
      const { start, count, heads, headDim } = rest;
      const capacity = start + count + slack;
      const rows = Float32Array.from({ length: offset + count * heads * headDim }, (_, i) => i + 1).subarray(
        offset,
      );
      const buffer = new Float32Array(heads * capacity * headDim).fill(-1);
      storeRows(buffer, rows, { ...rest, capacity });
      for (let head = 0; head < heads; head++) {
        for (let row = 0; row < capacity; row++) {
          for (let d = 0; d < headDim; d++) {
            const inside = row >= start && row < start + count;
            const expected = inside ? rows[((row - start) * heads + head) * headDim + d] : -1;
            expect(buffer[(head * capacity + row) * headDim + d]).toBe(expected);
          }
        }
      }
    }),
    { numRuns: 300 },
  );
});
