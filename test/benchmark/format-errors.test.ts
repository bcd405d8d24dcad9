import { describe, expect, it } from 'vitest';
import { blockFormatError, normalWeights, q40Error } from '../../src/benchmark/peer/format-errors.js';

describe('errors of formats', () => {
  it('of Q4_0 are none where 16 steps are enough', () => {
    const weights = Float32Array.from({ length: 4096 }, (_, i) => ((i % 16) - 8) * 0.25);
    expect(q40Error(weights)).toBe(0);
  });

  it('of one coarse block is what rounding leaves', () => {
    // Steps of 1: -8 is exact, 0.5 rounds to 1 and the zeros stay.
    const weights = new Float32Array(32);
    weights.set([-8, 0.5]);
    expect(q40Error(weights)).toBeCloseTo(0.5 / Math.hypot(8, 0.5), 10);
  });

  it('of normal weights place Q4_0 between blocks of 32 and of 128, next to those of 64', () => {
    const weights = normalWeights();
    const of = (blockSize: 32 | 64 | 128) => blockFormatError(weights, { dtype: 'int4', blockSize });
    expect(q40Error(weights)).toBeGreaterThan(of(32));
    expect(Math.abs(q40Error(weights) - of(64)) / of(64)).toBeLessThan(0.03);
    expect(q40Error(weights)).toBeLessThan(of(128));
  });
});
