import { plainStage } from '../stage.js';
import type { MergeRule } from './merge-rule.js';
import { plainPairs } from './pairings.js';

/** See `pivotal`. */
export const pivotalRule: MergeRule = {
  pairing: plainPairs,
  own: (n) => (1 + n / 2) / (1 + n),
  others: (n) => 0.5 / (1 + n),
};

/**
 * A conserved row becomes the mean of itself and, for every evicted token nearest to it, the midpoint between token and
 * row. With n tokens of sum S that is (row * (1 + n/2) + S/2) / (1 + n). Source: LOOK-M, pivotal merging; modify_llama.py.
 */
export const pivotal = plainStage({
  summary: 'the mean of a row and its midpoints with the evicted tokens nearest to it',
  version: 1,
  rule: pivotalRule,
});
