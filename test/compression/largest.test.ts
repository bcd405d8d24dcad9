import fc from 'fast-check';
import { expect, it } from 'vitest';
import { markLargest } from '../../src/compression/select/largest.js';

it('marks the largest scores of those not marked yet, the lower position on ties, and no other position', () => {
  const scores = fc.array(
    fc.record({
      score: fc.integer({ min: -3, max: 6 }),
      isCandidate: fc.boolean(),
      wasMarked: fc.boolean(),
    }),
    { maxLength: 50 },
  );
  fc.assert(
    fc.property(scores, fc.nat(60), (positions, count) => {
      const marked = Uint8Array.from(positions, ({ wasMarked }) => (wasMarked ? 1 : 0));
      const candidates = [...positions.keys()].filter((i) => positions[i]!.isCandidate);
      const changed = markLargest({
        scores: Float32Array.from([99, ...positions.map(({ score }) => score)]),
        offset: 1,
        candidates: { positions: Int32Array.from([...candidates, 0]), count: candidates.length },
        count,
        marked,
        scratch: new Float32Array(positions.length),
      });
      const expected = candidates
        .filter((i) => !positions[i]!.wasMarked)
        .sort((a, b) => positions[b]!.score - positions[a]!.score || a - b)
        .slice(0, count);
      const before = [...positions.keys()].filter((i) => positions[i]!.wasMarked);
      expect([...marked.keys()].filter((i) => marked[i] === 1)).toEqual(
        [...before, ...expected].sort((a, b) => a - b),
      );
      expect(changed).toBe(expected.length);
    }),
    { numRuns: 500 },
  );
});
