import type { Method } from '../method.js';
import { withTextPrior } from './look-m.js';

/** LOOK-M with text prior and weighted merging (arXiv 2406.18139). */
export const lookMTpW = {
  name: 'look-m-tp-w',
  title: 'LOOK-M (TP + W-Merge)',
  summary: 'puts text before images; evicted tokens are merged by similarity into their nearest keys',
  kind: 'paper',
  released: { mode: 'text_prior_weighted_merge', called: true },
  definitions: withTextPrior('weighted'),
} as const satisfies Method;
