import { mergePivotal } from '../merge/pivotal.js';
import type { Method } from '../method.js';
import { textPrior } from '../prior/text-prior.js';
import { columnSumScores } from '../score/column-sums.js';
import { selectRecentAndImportant } from '../select/recent-and-important.js';

/**
 * LOOK-M with text prior and pivotal merging (arXiv 2406.18139), `text_prior_pivot_merge` of the release: all text
 * is kept, even beyond the budget. With no recent row and some important ones the release raises an error; here
 * the window is then simply empty.
 */
export const lookMTpP = {
  name: 'look-m-tp-p',
  title: 'LOOK-M (text prior, pivotal merge)',
  version: 1,
  semantics: 'release',
  summary:
    'keeps all text, evicts image tokens by column sum and merges them into their nearest conserved keys',
  releaseMode: 'text_prior_pivot_merge',
  stages: {
    score: columnSumScores,
    prior: textPrior,
    select: selectRecentAndImportant,
    merge: mergePivotal,
    zeroBudget: 'full cache',
  },
} as const satisfies Method;
