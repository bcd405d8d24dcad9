import { parseBudget } from '../../src/config/budget.js';
import type { Budget } from '../../src/core/budget.js';
import { UserError } from '../../src/core/errors.js';

/** `parseBudget` for tests that want the budget or an error. */
export function requireBudget(value: unknown, where: string): Budget {
  const parsed = parseBudget(value);
  if ('problem' in parsed) throw new UserError({ ...parsed.problem, where });
  return parsed.budget;
}
