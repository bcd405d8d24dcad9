import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MethodSet } from '../../src/compression/method-set.js';
import { allocatedRows, type CompressingPolicy, policyNeeds } from '../../src/compression/policy.js';

function weighted(layers: readonly number[]): CompressingPolicy {
  const set = new MethodSet({
    own: { score: { rule: 'window', size: 'recent' }, allocate: { rule: 'weights', layers: [...layers] } },
  });
  const policy = set.policy('own', 'paper');
  if (policy.kind === 'full') throw new Error('the composition compresses');
  return policy;
}

const shape = { heads: 2, headDim: 4 };

describe('rows by weights', () => {
  const layers = fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 8 });

  it('are together at most those of the same rows in each layer, each its share without the fraction', () => {
    fc.assert(
      fc.property(layers, fc.nat(40), fc.nat(40), (weights, recent, important) => {
        const sum = weights.reduce((total, weight) => total + weight, 0);
        fc.pre(sum > 0);
        const policy = weighted(weights);
        const rows = weights.map((_, layer) => {
          const place = { ...shape, layer, layers: weights.length, length: 1e6 };
          return allocatedRows(policy, { kind: 'tokens', recent, important }, place);
        });
        const total = weights.length * (recent + important);
        expect(rows.reduce((all, one) => all + one.recent + one.important, 0)).toBeLessThanOrEqual(total);
        for (const [layer, one] of rows.entries()) {
          const share = (total * weights[layer]!) / sum;
          expect(one.recent + one.important).toBe(Math.trunc(share + 1e-9));
          const ownRecent = ((one.recent + one.important) * recent) / Math.max(1, recent + important);
          expect(Math.abs(one.recent - ownRecent)).toBeLessThan(1);
        }
      }),
    );
  });

  it('never become fewer with a larger budget', () => {
    const policy = weighted([1, 3, 11]);
    for (let layer = 0; layer < 3; layer++) {
      let before = 0;
      for (let tokens = 0; tokens < 200; tokens++) {
        const place = { ...shape, layer, layers: 3, length: 1e6 };
        const { recent, important } = allocatedRows(
          policy,
          { kind: 'tokens', recent: 0, important: tokens },
          place,
        );
        expect(recent + important).toBeGreaterThanOrEqual(before);
        before = recent + important;
      }
    }
  });

  it('are no more than the prompt has, and none for a weight of 0', () => {
    const policy = weighted([0, 1, 9]);
    const rowsAt = (layer: number) =>
      allocatedRows(
        policy,
        { kind: 'tokens', recent: 10, important: 10 },
        { ...shape, layer, layers: 3, length: 30 },
      );
    expect(rowsAt(0)).toEqual({ recent: 0, important: 0 });
    expect(rowsAt(1)).toEqual({ recent: 3, important: 3 });
    expect(rowsAt(2)).toEqual({ recent: 15, important: 15 });
  });

  it('decide what prefill has to record in each layer', () => {
    const policy = weighted([1, 3]);
    const windowsAt = (layer: number) =>
      policyNeeds(
        policy,
        { kind: 'tokens', recent: 4, important: 4 },
        { ...shape, layer, layers: 2, length: 50 },
      ).windows;
    expect(windowsAt(0)).toEqual([{ from: 48, to: 50 }]);
    expect(windowsAt(1)).toEqual([{ from: 44, to: 50 }]);
  });
});
