import { plainStage } from '../stage.js';
import { type MergeRule, meanOfAll } from './merge-rule.js';
import { plainPairs } from './pairings.js';

const rule: MergeRule = { pairing: plainPairs, ...meanOfAll };

/** A conserved row becomes the mean of itself and the evicted tokens nearest to it. Source: LOOK-M, averaged merging. */
export const average = plainStage({
  summary: 'the mean of a row and the evicted tokens nearest to it',
  version: 1,
  rule,
});
