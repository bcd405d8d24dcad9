import type { Budget } from '../core/budget.js';

/** How many rows a budget allows in a layer: most recent ones, and important ones before them. */
export interface RowBudget {
  readonly recent: number;
  readonly important: number;
}

/** Rows that a budget allows in all. */
export function totalRows({ recent, important }: RowBudget): number {
  return recent + important;
}

/**
 * The rows that a budget means for a prompt, the same in every layer. Ratios are truncated each, as the release does
 * (modify_llama.py:261); bytes buy whole positions, whose parts are then split as the budget's are.
 *
 * @param at.length tokens of the prompt that compression sees
 * @param at.positionBytes bytes of K and V of one position in all layers
 * @param at.fixedBytes bytes that a cache takes beside its rows
 */
export function rowBudget(
  budget: Budget,
  at: { readonly length: number; readonly positionBytes: number; readonly fixedBytes?: number },
): RowBudget {
  const { recent, important } = budget;
  switch (budget.kind) {
    case 'ratio':
      return { recent: Math.trunc(at.length * recent), important: Math.trunc(at.length * important) };
    case 'tokens':
      return { recent, important };
    case 'bytes': {
      const bytes = recent + important;
      const rows = Math.max(0, Math.trunc((bytes - (at.fixedBytes ?? 0)) / at.positionBytes));
      const recentRows = bytes === 0 ? 0 : Math.trunc((rows * recent) / bytes);
      return { recent: recentRows, important: rows - recentRows };
    }
  }
}
