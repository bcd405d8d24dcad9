import { plainStage } from '../stage.js';
import { type MergeRule, meanOfAll } from './merge-rule.js';
import { similarPairs } from './pairings.js';

const rule: MergeRule = { pairing: similarPairs, ...meanOfAll };

/** As average, but every evicted token is scaled by its similarity to the row. Source: LOOK-M, weighted merging. */
export const weighted = plainStage({
  summary: 'as average, evicted tokens scaled by their similarity to the row',
  version: 1,
  rule,
});
