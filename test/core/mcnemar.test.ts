import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mcnemarExact } from '../../src/core/mcnemar.js';

describe("McNemar's exact test", () => {
  test.each([
    { better: 1, worse: 5, p: 14 / 64 },
    { better: 0, worse: 5, p: 2 / 32 },
    { better: 8, worse: 2, p: 112 / 1024 },
    { better: 9, worse: 10, p: 1 },
    { better: 0, worse: 1, p: 1 },
    { better: 0, worse: 2, p: 0.5 },
  ])('of $better better and $worse worse is the binomial tail counted by hand', ({ better, worse, p }) => {
    expect(mcnemarExact({ better, worse })).toBeCloseTo(p, 14);
  });

  test.each([
    { better: 86, worse: 150, p: 3.715936139571442e-5 },
    { better: 0, worse: 40, p: 1.8189894035458565e-12 },
    { better: 700, worse: 900, p: 6.319484959450139e-7 },
    { better: 3000, worse: 3440, p: 4.4377450679651996e-8 },
    { better: 0, worse: 1000, p: 1.8665272370064378e-301 },
  ])('of $better better and $worse worse agrees with exact fractions', ({ better, worse, p }) => {
    expect(mcnemarExact({ better, worse }) / p).toBeCloseTo(1, 10);
  });

  test('finds nothing where nothing differs or both sides win alike', () => {
    expect(mcnemarExact({ better: 0, worse: 0 })).toBe(1);
    expect(mcnemarExact({ better: 17, worse: 17 })).toBe(1);
  });

  test('is a probability, does not care which side is which, and falls as the pairs grow more uneven', () => {
    const counts = fc.record({ better: fc.nat({ max: 2000 }), worse: fc.nat({ max: 2000 }) });
    fc.assert(
      fc.property(counts, ({ better, worse }) => {
        const p = mcnemarExact({ better, worse });
        expect(p).toBeGreaterThanOrEqual(0);
        expect(p).toBeLessThanOrEqual(1);
        expect(mcnemarExact({ better: worse, worse: better })).toBe(p);
        const [fewer, more] = better < worse ? [better, worse] : [worse, better];
        if (fewer > 0) expect(mcnemarExact({ better: fewer - 1, worse: more + 1 })).toBeLessThanOrEqual(p);
      }),
    );
  });
});
