import { z } from 'zod';
import { type RowBudget, totalRows } from '../row-budget.js';
import { stage } from '../stage.js';
import type { Allocate } from './allocate.js';

/** More layers than any published model has. */
const mostLayers = 1024;

/**
 * Rows in proportion to a weight a layer: together as many as uniform rows would be, by largest remainders, but no layer
 * more than the prompt has. A layer's recent share is the budget's.
 */
export const weights = stage({
  summary: 'rows in proportion to a weight a layer',
  version: 1,
  options: { layers: z.array(z.number().nonnegative()).min(1).max(mostLayers) },
  bind: ({ layers: shares }): Allocate => ({
    layers: shares.length,
    rows: (budget, { layer, length }) => {
      const each = totalRows(budget);
      const total = Math.min(length, spread(each * shares.length, shares)[layer]!);
      const recent = each === 0 ? 0 : Math.trunc((total * budget.recent) / each);
      return { recent, important: total - recent } satisfies RowBudget;
    },
  }),
});

/** `total` as whole numbers in proportion to the shares, by largest remainders; the first of equal remainders wins. */
function spread(total: number, shares: readonly number[]): number[] {
  const sum = shares.reduce((all, share) => all + share, 0);
  const exact = shares.map((share) => (sum === 0 ? 0 : (total * share) / sum));
  const whole = exact.map(Math.trunc);
  const order = exact
    .map((value, layer) => ({ layer, remainder: value - Math.trunc(value) }))
    .sort((a, b) => b.remainder - a.remainder || a.layer - b.layer);
  let left = sum === 0 ? 0 : total - whole.reduce((all, rows) => all + rows, 0);
  for (const { layer } of order) {
    if (left <= 0) break;
    whole[layer]!++;
    left--;
  }
  return whole;
}
