import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chunkPlan } from '../../src/engine/chunk-plan.js';
import { ColumnSumRecorder } from '../../src/engine/column-sum-recorder.js';
import { argmax } from '../../src/engine/decode.js';
import { Runtime } from '../../src/engine/runtime.js';
import { selfTest } from '../../src/engine/self-test.js';

describe('the chunk plan', () => {
  it('covers every position once, in order, with a boundary at every stop', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2000 }),
        fc.array(fc.nat(2500)),
        fc.integer({ min: 1, max: 600 }),
        (length, stops, rows) => {
          const chunks = chunkPlan(length, stops, rows);
          let next = 0;
          for (const { start, count } of chunks) {
            expect(start).toBe(next);
            expect(count).toBeGreaterThan(0);
            expect(count).toBeLessThanOrEqual(rows);
            next += count;
          }
          expect(next).toBe(length);
          const ends = new Set(chunks.map(({ start, count }) => start + count));
          for (const stop of stops) if (stop > 0 && stop <= length) expect(ends.has(stop)).toBe(true);
        },
      ),
    );
  });

  it('is one chunk for a one-token prompt', () => {
    expect(chunkPlan(1, [0])).toEqual([{ start: 0, count: 1 }]);
  });
});

describe('the column sum recorder', () => {
  const recorder = new ColumnSumRecorder({ heads: 4, kvHeads: 2 });
  recorder.add(2, Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  recorder.add(3, Float32Array.of(1, 1, 1, 3, 3, 3, 5, 5, 5, 7, 7, 7));

  it('sums chunks and averages the query heads that share a key/value head', () => {
    expect(Array.from(recorder.columnSums(3))).toEqual([4, 5, 2, 12, 13, 6]);
  });

  it('gives the sums without the last query, and refuses prefixes no chunk ends at', () => {
    expect(Array.from(recorder.columnSums(2))).toEqual([2, 3, 6, 7]);
    expect(() => recorder.columnSums(1)).toThrow('no prefill chunk ends at query 1');
  });
});

it('argmax takes the first of equal logits', () => {
  expect(argmax(Float32Array.of(1, 5, 2, 5))).toBe(1);
});

it('the operator self-test passes on this machine', async () => {
  const runtime = new Runtime({ threads: 2 });
  const results = await selfTest(runtime);
  await runtime.close();
  expect(results.length).toBe(5);
  expect(results.filter(({ ok }) => !ok)).toEqual([]);
});
