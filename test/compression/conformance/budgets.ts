import type { Budget } from '../../../src/core/budget.js';
import type { HeadShape } from '../../support/random-prompt.js';
import { layerCount } from './subjects.js';

/** Small and large ones, one part of them empty or both, in shares, rows and bytes. */
export function budgetsFor({ kvHeads, headDim }: HeadShape): readonly Budget[] {
  const bytesOfRow = layerCount * kvHeads * headDim * 8;
  return [
    { kind: 'ratio', recent: 0.1, important: 0.1 },
    { kind: 'ratio', recent: 0.025, important: 0.025 },
    { kind: 'ratio', recent: 0.3, important: 0.4 },
    { kind: 'ratio', recent: 0, important: 0.2 },
    { kind: 'ratio', recent: 0.2, important: 0 },
    { kind: 'ratio', recent: 0.001, important: 0.001 },
    { kind: 'tokens', recent: 2, important: 5 },
    { kind: 'bytes', recent: 3 * bytesOfRow + 1, important: 8 * bytesOfRow },
  ];
}

/** Each with more rows than the one before, up to the whole prompt; the first has a row for every part. */
export const growingBudgets: readonly Budget[] = [0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5].map((share) => ({
  kind: 'ratio',
  recent: share,
  important: share,
}));

/** Splits of exactly the rows of the prompt, and far more. */
export function wholeBudgets(length: number): readonly Budget[] {
  const third = Math.floor(length / 3);
  return [
    { kind: 'tokens', recent: 0, important: length },
    { kind: 'tokens', recent: length, important: 0 },
    { kind: 'tokens', recent: third, important: length - third },
    { kind: 'tokens', recent: 10 * length, important: 10 * length },
  ];
}
