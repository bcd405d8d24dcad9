import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CacheCosts, planCaches } from '../../src/bench/cache-plan.js';

const costs: CacheCosts = {
  sizes: [40, 8, 8, 8],
  limit: 50,
  freeDisk: 1000,
  millisecondsPerByte: 1,
  prefillMilliseconds: 100,
};

describe('where the caches of a sample wait', () => {
  it('is memory when all fit', () => {
    expect(planCaches({ ...costs, limit: 64 })).toEqual({
      kind: 'memory',
      passes: [{ cells: [0, 1, 2, 3], spilled: new Set() }],
    });
  });

  it('is a file for as little as possible where that takes less time than another prefill', () => {
    expect(planCaches(costs)).toEqual({
      kind: 'spill',
      passes: [{ cells: [0, 1, 2, 3], spilled: new Set([2, 3]) }],
    });
  });

  it('is memory, a group at a time, where another prefill takes less time or the disk has no room', () => {
    const groups = {
      kind: 'groups',
      passes: [
        { cells: [0, 1], spilled: new Set() },
        { cells: [2, 3], spilled: new Set() },
      ],
    };
    expect(planCaches({ ...costs, prefillMilliseconds: 15 })).toEqual(groups);
    expect(planCaches({ ...costs, freeDisk: 15 })).toEqual(groups);
  });

  it('is nowhere when the largest does not fit', () => {
    expect(planCaches({ ...costs, limit: 39 })).toBeNull();
  });

  it('never takes more than the limit, and every cell has its turn once', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 12 });
    const times = fc.record({ millisecondsPerByte: fc.nat(3), prefillMilliseconds: fc.nat(300) });
    fc.assert(
      fc.property(sizes, fc.nat(300), fc.nat(500), times, (own, limit, freeDisk, time) => {
        const plan = planCaches({ sizes: own, limit, freeDisk, ...time });
        if (plan === null) {
          expect(Math.max(...own)).toBeGreaterThan(limit);
          return;
        }
        const sum = (cells: readonly number[]): number =>
          cells.reduce((total, cell) => total + own[cell]!, 0);
        for (const { cells, spilled } of plan.passes) {
          expect(sum(cells.filter((cell) => !spilled.has(cell)))).toBeLessThanOrEqual(limit);
          expect(sum([...spilled])).toBeLessThanOrEqual(freeDisk);
        }
        const all = plan.passes.flatMap(({ cells }) => cells).sort((a, b) => a - b);
        expect(all).toEqual([...own.keys()]);
        expect(plan.kind === 'groups').toBe(plan.passes.length > 1);
      }),
    );
  });
});
