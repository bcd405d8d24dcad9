import type { MethodDefinition } from '../method.js';
import { paperFrame, type Remark, releaseFrame } from '../policy.js';

/** Positions the release protects where there is no text prior (modify_llama.py:284). */
const protectedTokens = 4;

const mergeCrash: Remark = ({ length, budget }) => {
  const stops = (error: string, why: string, then: string): string =>
    `the published code stops with ${error} on this prompt (${why}): ${then}`;
  if (budget.recent + budget.important === 0) {
    return stops('an IndexError', 'nothing to merge into', 'here the full cache is kept');
  }
  if (length - budget.recent >= protectedTokens) return null;
  return stops(
    'a RuntimeError',
    'fewer than four tokens before the recent window',
    'here those there are come first',
  );
};

const textPriorCrash: Remark = ({ budget }) =>
  budget.recent === 0 && budget.important > 0
    ? 'the published code stops with a RuntimeError on this prompt (no recent row): here the window is empty'
    : null;

type MergeName = 'average' | 'weighted' | 'pivotal';

/** A LOOK-M variant without text prior, merging by the rule given. */
export function withoutTextPrior(merge: MergeName): {
  readonly release: MethodDefinition;
  readonly paper: MethodDefinition;
} {
  return {
    release: {
      composition: {
        prior: { rule: 'first-tokens', count: protectedTokens },
        merge: `released-${merge}`,
      },
      frame: { ...releaseFrame, zeroBudget: 'full cache' },
      remark: mergeCrash,
    },
    paper: { composition: { merge }, frame: paperFrame },
  };
}

/** A LOOK-M variant with text prior; without a merge rule its evicted tokens are lost. */
export function withTextPrior(merge: MergeName | null): {
  readonly release: MethodDefinition;
  readonly paper: MethodDefinition;
} {
  return {
    release: {
      composition: { prior: 'all-text', merge: merge === null ? 'none' : `released-${merge}` },
      frame: { ...releaseFrame, zeroBudget: 'full cache' },
      remark: textPriorCrash,
    },
    paper: { composition: { prior: 'text-first', merge: merge ?? 'none' }, frame: paperFrame },
  };
}
