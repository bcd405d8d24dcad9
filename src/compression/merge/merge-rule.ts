import type { Assignment } from './assignment.js';

/** What is added to which conserved row: evicted tokens, each perhaps with a weight. */
export interface Pairing {
  /** Pairs per head. */
  readonly pairs: number;
  /** [heads, pairs]: prompt position of the row that is added. */
  readonly positions: Int32Array;
  /** [heads, pairs]: row of the selection it is added to. */
  readonly targets: Int32Array;
  /** [heads, pairs], or null where every weight is 1. */
  readonly weights: Float32Array | null;
}

/** How a pairing is made of an assignment. Rules of one pairing share its sums. */
export interface PairRule {
  readonly name: string;
  pair(assignment: Assignment): Pairing;
}

/**
 * Folds evicted tokens into conserved rows, keys and values alike: with n tokens of weighted sum S a row becomes
 * row * own(n) + S * others(n). Rows that nothing is added to stay as they are.
 */
export interface MergeRule {
  readonly pairing: PairRule;
  own(n: number): number;
  others(n: number): number;
}

/** The mean of a row and the n tokens added to it. */
export const meanOfAll = Object.freeze({
  own: (n: number): number => 1 / (1 + n),
  others: (n: number): number => 1 / (1 + n),
});
