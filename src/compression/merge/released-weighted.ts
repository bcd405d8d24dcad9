import { plainStage } from '../stage.js';
import { type MergeRule, meanOfAll } from './merge-rule.js';
import { filteredSimilarPairs } from './pairings.js';

const rule: MergeRule = { pairing: filteredSimilarPairs, ...meanOfAll };

/** Weighted merging as the release runs it: only tokens of at least average similarity are merged, the others lost. */
export const releasedWeighted = plainStage({
  summary: "weighted, tokens below the average similarity are dropped (the release's filter)",
  version: 1,
  rule,
});
