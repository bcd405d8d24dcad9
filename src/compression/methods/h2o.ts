import type { Method } from '../method.js';
import { columnSumScores } from '../score/column-sums.js';
import { selectRecentAndImportant } from '../select/recent-and-important.js';

/** Heavy-hitter oracle (arXiv 2306.14048) as LOOK-M's code runs it: no protected first tokens. */
export const h2o = {
  name: 'h2o',
  title: 'H2O',
  version: 1,
  semantics: 'release',
  summary: 'evicts all but the recent tokens and those with the largest attention column sums',
  releaseMode: 'h2o',
  stages: {
    score: columnSumScores,
    prior: null,
    select: selectRecentAndImportant,
    merge: null,
    zeroBudget: 'empty cache',
  },
} as const satisfies Method;
