import { plainStage } from '../stage.js';
import { type MergeRule, meanOfAll } from './merge-rule.js';
import { mispaired } from './pairings.js';

const rule: MergeRule = { pairing: mispaired, ...meanOfAll };

/** Averaged merging as the release runs it: targets are filtered by similarity, tokens are not, so they do not match. */
export const releasedAverage = plainStage({
  summary: "average with the release's filter and its mismatched pairs",
  version: 1,
  rule,
});
