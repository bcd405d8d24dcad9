import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { budgetName, parseBudget } from '../../src/config/budget.js';
import { requireBudget } from '../support/require-budget.js';

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
  ])('%j is %d recent and %d important, and is called %s', (value, recent, important, name) => {
    const budget = requireBudget(value, 'here');
    expect(budget).toEqual({ kind: 'ratio', recent, important });
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
  ])('%j is refused in one line that names the place', (value) => {
    expect(() => requireBudget(value, 'a.yaml:1:2')).toThrow(/^a\.yaml:1:2: [^\n]*budget[^\n]*$/);
  });

  test('is the same whether written as percentage, sum or parts, and its name reads back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), (tenths) => {
        const fromPercent = requireBudget(`${tenths / 10}%`, '');
        const half = fromPercent.recent;
        expect(requireBudget({ recent: half, important: half }, '')).toEqual(fromPercent);
        expect(parseBudget(budgetName(fromPercent))).toEqual({ budget: fromPercent });
      }),
    );
  });
});
