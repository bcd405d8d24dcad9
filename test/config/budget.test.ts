import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { budgetName, parseBudget } from '../../src/config/budget.js';
import { type Budget, budgetSchema } from '../../src/core/budget.js';
import { requireBudget } from '../support/require-budget.js';

const anyCount = fc.maxSafeNat().map((count) => Math.floor(count / 2));
const anyShare = fc.double({ min: 0, max: 0.5, noNaN: true });

const anyBudget: fc.Arbitrary<Budget> = fc
  .oneof(
    fc.record({ kind: fc.constant('ratio' as const), recent: anyShare, important: anyShare }),
    fc.record({
      kind: fc.constantFrom('tokens' as const, 'bytes' as const),
      recent: anyCount,
      important: anyCount,
    }),
  )
  .filter(({ recent, important }) => recent + important > 0);

describe('a budget', () => {
  test.each([
    ['20%', 0.1, 0.1, '20%'],
    ['5%', 0.025, 0.025, '5%'],
    [' 2.5 % ', 0.0125, 0.0125, '2.5%'],
    ['100%', 0.5, 0.5, '100%'],
    ['0.1+0.1', 0.1, 0.1, '20%'],
    ['0.15 + .05', 0.15, 0.05, '0.15+0.05'],
    ['0+0.2', 0, 0.2, '0+0.2'],
    ['0.7+0.3', 0.7, 0.3, '0.7+0.3'],
    [{ recent: 0.1, important: 0.1 }, 0.1, 0.1, '20%'],
    ['0.0000001+0', 1e-7, 0, '1e-7+0'],
  ])('%j is a share of %d recent and %d important, and is called %s', (value, recent, important, name) => {
    const budget = requireBudget(value, 'here');
    expect(budget).toEqual({ kind: 'ratio', recent, important });
    expect(budgetName(budget)).toBe(name);
  });

  test.each([
    ['512tok', 256, 256, '512tok'],
    ['7 tok', 3, 4, '7tok'],
    ['1tok', 0, 1, '1tok'],
    ['128tok+384tok', 128, 384, '128tok+384tok'],
    [{ recent: '128tok', important: '384tok' }, 128, 384, '128tok+384tok'],
    ['3tok + 4tok', 3, 4, '7tok'],
    ['4tok+3tok', 4, 3, '4tok+3tok'],
    ['0tok+9tok', 0, 9, '0tok+9tok'],
  ])('%j is %d recent and %d important rows a layer, and is called %s', (value, recent, important, name) => {
    const budget = requireBudget(value, 'here');
    expect(budget).toEqual({ kind: 'tokens', recent, important });
    expect(budgetName(budget)).toBe(name);
  });

  const mebi = 2 ** 20;
  test.each([
    ['64MiB', 32 * mebi, 32 * mebi, '64MiB'],
    ['0.5GiB', 256 * mebi, 256 * mebi, '512MiB'],
    ['2GiB', 1024 * mebi, 1024 * mebi, '2GiB'],
    ['1.5 MiB', 0.75 * mebi, 0.75 * mebi, '1536KiB'],
    ['1000B', 500, 500, '1000B'],
    ['0.001KiB', 0, 1, '1B'],
    ['16MiB+48MiB', 16 * mebi, 48 * mebi, '16MiB+48MiB'],
    [{ recent: '16MiB', important: '48MiB' }, 16 * mebi, 48 * mebi, '16MiB+48MiB'],
    ['.5MiB+1MiB', 0.5 * mebi, mebi, '512KiB+1024KiB'],
    ['0.3KiB+0KiB', 307, 0, '307B+0B'],
  ])('%j is %d recent and %d important bytes, and is called %s', (value, recent, important, name) => {
    const budget = requireBudget(value, 'here');
    expect(budget).toEqual({ kind: 'bytes', recent, important });
    expect(budgetName(budget)).toBe(name);
  });

  test.each([
    '0%',
    '0+0',
    '100.1%',
    '0.6+0.6',
    '-5%',
    '20',
    '20 percent',
    '0.1+',
    '0.1+0.1+0.1',
    '10%+10%',
    '',
    0.2,
    20,
    null,
    true,
    ['20%'],
    {},
    { recent: 0.1 },
    { recent: -0.1, important: 0.3 },
    { recent: Number.NaN, important: 0.3 },
    { recent: Number.POSITIVE_INFINITY, important: 0 },
    { recent: 0.1, important: 0.1, merged: 0.1 },
    { recent: '0.1', important: '0.1' },
    '0tok',
    '0.5B',
    '0MiB+0MiB',
    '-5tok',
    '1.5tok',
    '0.5tok+0.5tok',
    '512 Tok',
    '512tokens',
    '64mib',
    '64MB',
    '1e3tok',
    '9007199254740992tok',
    '1e999',
    '99999999999GiB',
    '128tok+0.1',
    '128tok+16MiB',
    '16MiB+16KiB',
    { recent: 0.1, important: '128tok' },
    { recent: '16MiB', important: '128tok' },
  ])('%j is refused in one line that names the place', (value) => {
    expect(() => requireBudget(value, 'a.yaml:1:2')).toThrow(/^a\.yaml:1:2: [^\n]*budget[^\n]*$/);
  });

  test.each([
    ['1.5tok', 'budget "1.5tok" is not a whole number of tokens; write 20%, 512tok or 64MiB '],
    ['1tok+16MiB', 'budget "1tok+16MiB" mixes units; write both parts in one unit'],
    ['99999999999GiB', 'budget "99999999999GiB" is larger than any cache; method full keeps everything'],
    ['512Tok', '"512Tok" is not a budget; write 20%, 512tok or 64MiB '],
  ])('%s is refused with its reason and what to write', (value, message) => {
    expect(() => requireBudget(value, 'here')).toThrow(`here: ${message}`);
  });

  test('of more digits than a number holds is larger than any cache', () => {
    for (const unit of ['tok', 'GiB'])
      expect(() => requireBudget(`${'9'.repeat(400)}${unit}`, 'here')).toThrow('is larger than any cache;');
  });

  test('is the same whether written as percentage, sum or parts', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), (tenths) => {
        const fromPercent = requireBudget(`${tenths / 10}%`, '');
        const half = fromPercent.recent;
        expect(requireBudget({ recent: half, important: half }, '')).toEqual(fromPercent);
        expect(budgetName(fromPercent)).toBe(`${tenths / 10}%`);
      }),
    );
  });

  test('of any kind reads back from its name', () => {
    fc.assert(
      fc.property(anyBudget, (budget) => {
        expect(parseBudget(budgetName(budget))).toEqual({ budget });
      }),
      { numRuns: 2000 },
    );
  });
});

describe('the budget of a record', () => {
  test('is any that a run file can ask for', () => {
    fc.assert(
      fc.property(anyBudget, (budget) => {
        expect(budgetSchema.parse(budget)).toEqual(budget);
      }),
    );
  });

  test.each([
    { recent: 0.1, important: 0.1 },
    { kind: 'rows', recent: 1, important: 1 },
    { kind: 'ratio', recent: -0.1, important: 0.1 },
    { kind: 'ratio', recent: Number.POSITIVE_INFINITY, important: 0 },
    { kind: 'tokens', recent: 1.5, important: 1 },
    { kind: 'bytes', recent: 1, important: 1, scale: 2 },
  ])('is not %j', (value) => {
    expect(budgetSchema.safeParse(value).success).toBe(false);
  });
});
