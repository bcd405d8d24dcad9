import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rowBudget } from '../../src/compression/row-budget.js';

describe('the rows of a budget', () => {
  const at = { length: 100, positionBytes: 64 };

  it.each([
    [{ kind: 'ratio', recent: 0.1, important: 0.1 }, 10, 10],
    // 100 * 0.29 is 28.999999999999996 in double precision, which the release cuts.
    [{ kind: 'ratio', recent: 0.29, important: 0.025 }, 28, 2],
    [{ kind: 'ratio', recent: 0.009, important: 0 }, 0, 0],
    [{ kind: 'tokens', recent: 3, important: 500 }, 3, 500],
    [{ kind: 'bytes', recent: 64 * 2, important: 64 * 6 }, 2, 6],
    // 9 positions, of which a quarter is 2.25.
    [{ kind: 'bytes', recent: 150, important: 450 }, 2, 7],
    [{ kind: 'bytes', recent: 63, important: 0 }, 0, 0],
    [{ kind: 'bytes', recent: 0, important: 200 }, 0, 3],
  ] as const)('%o is %i recent and %i important ones', (budget, recent, important) => {
    expect(rowBudget(budget, at)).toEqual({ recent, important });
  });

  it('of bytes fit the bytes, and one more would not', () => {
    const amounts = fc.record({ recent: fc.nat(1e7), important: fc.integer({ min: 1, max: 1e7 }) });
    fc.assert(
      fc.property(amounts, fc.integer({ min: 1, max: 5000 }), (parts, positionBytes) => {
        const { recent, important } = rowBudget({ kind: 'bytes', ...parts }, { length: 50, positionBytes });
        const bytes = parts.recent + parts.important;
        expect((recent + important) * positionBytes).toBeLessThanOrEqual(bytes);
        expect((recent + important + 1) * positionBytes).toBeGreaterThan(bytes);
        const share = ((recent + important) * parts.recent) / bytes;
        expect(recent).toBeLessThanOrEqual(share);
        expect(recent).toBeGreaterThan(share - 1);
      }),
    );
  });
});
