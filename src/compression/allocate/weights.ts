import { z } from 'zod';
import { totalRows } from '../row-budget.js';
import { stage } from '../stage.js';
import type { Allocate } from './allocate.js';

/** More layers than any published model has. */
const mostLayers = 1024;

/** Keeps products that are whole but for rounding from losing a row. */
const rounding = 1e-9;

/**
 * Rows in proportion to a weight a layer, truncated, so that more budget never means fewer rows: together at most as
 * many as uniform rows would be, and no layer more than the prompt has. A layer's recent share is the budget's.
 */
export const weights = stage({
  summary: 'rows in proportion to a weight a layer',
  version: 1,
  options: { layers: z.array(z.number().nonnegative()).min(1).max(mostLayers) },
  bind: ({ layers: shares }): Allocate => {
    const sum = shares.reduce((all, share) => all + share, 0);
    return {
      layers: shares.length,
      rows: (budget, { layer, length }) => {
        const each = totalRows(budget);
        const share = sum === 0 ? 0 : shares[layer]! / sum;
        const total = Math.min(length, Math.trunc(each * shares.length * share + rounding));
        const recent = each === 0 ? 0 : Math.trunc((total * budget.recent) / each);
        return { recent, important: total - recent };
      },
    };
  },
});
