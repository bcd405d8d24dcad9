import type { Method } from '../method.js';
import { paperFrame, releaseFrame } from '../policy.js';

/** Heavy-hitter oracle (arXiv 2306.14048) as LOOK-M's code runs it: no protected first tokens. */
export const h2o = {
  name: 'h2o',
  title: 'H2O',
  summary: 'evicts all but the recent tokens and those with the largest attention column sums',
  kind: 'paper',
  released: { mode: 'h2o', called: true },
  definitions: {
    release: { composition: { score: 'column-sum' }, frame: releaseFrame },
    paper: { composition: { score: 'column-sum' }, frame: paperFrame },
  },
} as const satisfies Method;
