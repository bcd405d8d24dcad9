import { plainStage } from '../stage.js';
import { releasedPairs } from './pairings.js';
import { pivotalRule } from './pivotal.js';

/** Pivotal merging as the release runs it: it differs only where a conserved key has no length. */
export const releasedPivotal = plainStage({
  summary: "pivotal, with the release's targets where a conserved key has no length",
  version: 1,
  rule: { ...pivotalRule, pairing: releasedPairs },
});
