import type { Budget } from '../../../src/core/budget.js';

/** N important rows and M recent ones of a prompt of `length` tokens. */
export interface Rows {
  readonly important: number;
  readonly recent: number;
}

const bytesOfFloat = 4;

/** What a budget means: shares cut to whole tokens each, or tokens, or bytes of K and V of all layers. */
export function rowsOfBudget(
  budget: Budget,
  at: {
    readonly length: number;
    readonly layers: number;
    readonly kvHeads: number;
    readonly headDim: number;
  },
): Rows {
  const { recent, important } = budget;
  if (budget.kind === 'tokens') return { important, recent };
  if (budget.kind === 'ratio') {
    return { important: Math.floor(important * at.length), recent: Math.floor(recent * at.length) };
  }
  const bytesOfToken = at.layers * at.kvHeads * at.headDim * bytesOfFloat * 2;
  const tokens = Math.floor((recent + important) / bytesOfToken);
  const recentTokens = Math.floor((tokens * recent) / (recent + important));
  return { recent: recentTokens, important: tokens - recentTokens };
}
