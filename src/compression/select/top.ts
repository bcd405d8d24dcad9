import { z } from 'zod';
import { noNeeds } from '../../core/attention-statistics.js';
import { type RowBudget, totalRows } from '../row-budget.js';
import { stage } from '../stage.js';
import { fillRows } from './fill-rows.js';
import type { Select, SelectInput, Selection } from './selection.js';

const options = {
  /** Rows of the recent window: what the budget says, or a number of its own within the budget's total. */
  window: z.union([z.literal('budget'), z.int().positive()]).default('budget'),
  /** Order of the conserved rows: as in the prompt, or the best-scored first and the window last. */
  order: z.enum(['prompt', 'score']).default('prompt'),
};

/**
 * The recent window, and the best-scored positions before it. Source: equation 6; modify_llama.py, H2OKVCache_LayerWise;
 * by score: modify_llama.py:2925, SnapKV.
 */
export const top = stage({
  summary: 'the recent window, and the best-scored positions before it',
  version: 1,
  options,
  bind: ({ window, order }): Select => ({
    needs: () => noNeeds,
    window: (budget) => (window === 'budget' ? budget : ownWindow(window, totalRows(budget))),
    select: (input) => {
      const selection = fillRows(input);
      return order === 'prompt' ? selection : inScoreOrder(selection, input);
    },
  }),
});

function ownWindow(window: number, total: number): RowBudget {
  const recent = Math.min(window, total);
  return { recent, important: total - recent };
}

/** Rows before the window in descending order of score, equal ones by position; the window follows as it is. */
function inScoreOrder({ rows, kept }: Selection, { layer, budget, scores }: SelectInput): Selection {
  const { heads, length } = layer;
  const window = Math.max(0, length - budget.recent);
  const ordered = new Int32Array(kept);
  for (let head = 0; head < heads; head++) {
    const own = ordered.subarray(head * rows, (head + 1) * rows);
    const chosen = own.filter((position) => position < window);
    const score = (position: number): number => scores[head * length + position]!;
    own.set(chosen.sort((a, b) => score(b) - score(a) || a - b));
  }
  return { rows, kept: ordered };
}
