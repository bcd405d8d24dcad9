import { describe, expect, it } from 'vitest';
import { MethodSet } from '../../src/compression/method-set.js';
import { drawsAtRandom, policyNeeds } from '../../src/compression/policy.js';
import { methods } from '../../src/compression/registry.js';

const set = new MethodSet({ mine: { score: 'random', merge: 'average' } });

describe('methods by name', () => {
  it.each(Object.keys(methods))('%s is found in both semantics', (name) => {
    expect(set.problem(name)).toBeNull();
    const ids = (['release', 'paper'] as const).map((semantics) => set.policy(name, semantics).id);
    expect(new Set(ids).size).toBe(name === 'full' ? 1 : 2);
  });

  it('answer a misspelt one with the near matches', () => {
    expect(() => set.policy('h20', 'release')).toThrow(
      'unknown method "h20"; did you mean h2o? `lookm list methods` shows all',
    );
    expect(() => set.policy('mime', 'paper')).toThrow('did you mean mine?');
    expect(() => set.policy('matched:h20', 'release')).toThrow('unknown method "h20"');
  });

  it('match anything that evicts, and nothing else', () => {
    expect(set.problem('matched:look-m-tp-p')).toBeNull();
    expect(set.problem('matched:mine/snapkv')).toBeNull();
    expect(set.problem('matched:full')?.what).toBe('"matched:full": full does not compress');
    expect(set.problem('matched:h2o/full')?.what).toBe('"matched:h2o/full": full does not compress');
    expect(set.policy('matched:h2o', 'paper').id).not.toBe(set.policy('matched:roco', 'paper').id);
  });

  it('do not take the name of a method, nor one that cannot stand in a list', () => {
    expect(() => new MethodSet({ h2o: {} })).toThrow('a composition cannot be called "h2o"');
    expect(() => new MethodSet({ 'a,b': {} })).toThrow('a composition cannot be called "a,b"');
  });

  it('say which stage of a composition is wrong', () => {
    expect(() => new MethodSet({ own: { scores: 'random' } })).toThrow('unknown stage "scores"');
    expect(() => new MethodSet({ own: { score: 'colum-sum' } })).toThrow('did you mean column-sum?');
    expect(() => new MethodSet({ own: { score: { rule: 'window', width: 4 } } })).toThrow('must be odd');
  });
});

describe('policies', () => {
  const place = { layer: 0, layers: 1, heads: 2, headDim: 4, length: 100 };
  const budget = { kind: 'ratio', recent: 0.2, important: 0.3 } as const;
  const needsOf = (name: string, semantics: 'release' | 'paper') =>
    policyNeeds(set.policy(name, semantics), budget, place);

  it('ask prefill for what their stages read and nothing else', () => {
    const nothing = { squares: false, windows: [] };
    for (const name of ['full', 'h2o', 'look-m-tp-p', 'random', 'knorm', 'text-only'])
      for (const semantics of ['release', 'paper'] as const)
        expect(needsOf(name, semantics)).toEqual(nothing);
    expect(needsOf('roco', 'release')).toEqual(nothing);
    expect(needsOf('roco', 'paper')).toEqual({ squares: true, windows: [] });
    expect(needsOf('snapkv', 'release').windows).toEqual([{ from: 80, to: 100 }]);
    expect(needsOf('snapkv', 'paper').windows).toEqual([{ from: 68, to: 100 }]);
    expect(needsOf('matched:roco/snapkv', 'paper')).toEqual({
      squares: true,
      windows: [{ from: 68, to: 100 }],
    });
  });

  it('let the last 32 queries vote on pools of five where a window names no numbers', () => {
    const own = new MethodSet({ own: { score: 'window' } }).policy('own', 'paper');
    expect(policyNeeds(own, budget, place).windows).toEqual([{ from: 68, to: 100 }]);
    expect(own.id).toContain('window (version 1, size = 32, width = 5, pooling = "average")');
  });

  it('know whether they draw at random', () => {
    const drawing = ['random', 'image-random', 'mine', 'matched:random', 'matched:h2o/mine'];
    for (const name of drawing) expect(drawsAtRandom(set.policy(name, 'paper'))).toBe(true);
    for (const name of ['full', 'h2o', 'matched:h2o/knorm'])
      expect(drawsAtRandom(set.policy(name, 'release'))).toBe(false);
  });
});
