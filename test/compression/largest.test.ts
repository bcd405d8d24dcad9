import fc from 'fast-check';
import { expect, it } from 'vitest';
import { markLargest } from '../../src/compression/select/largest.js';

it('marks the largest scores, the lower position on ties, among the eligible ones', () => {
  const scores = fc.array(fc.integer({ min: -3, max: 6 }), { minLength: 0, maxLength: 50 });
  fc.assert(
    fc.property(scores, fc.nat(60), fc.infiniteStream(fc.boolean()), (values, count, flags) => {
      const eligible = Uint8Array.from(values, () => (flags.next().value === true ? 1 : 0));
      const chosen = new Uint8Array(values.length);
      const marked = markLargest({
        scores: Float32Array.from([99, ...values]),
        offset: 1,
        from: 0,
        to: values.length,
        count,
        eligible,
        chosen,
        scratch: new Float32Array(values.length),
      });
      const expected = values
        .map((score, position) => ({ score, position }))
        .filter(({ position }) => eligible[position] === 1)
        .sort((a, b) => b.score - a.score || a.position - b.position)
        .slice(0, count)
        .map(({ position }) => position);
      expect(Array.from(chosen.keys()).filter((i) => chosen[i] === 1)).toEqual(
        expected.sort((a, b) => a - b),
      );
      expect(marked).toBe(expected.length);
    }),
    { numRuns: 500 },
  );
});
