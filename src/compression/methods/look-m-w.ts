import type { Method } from '../method.js';
import { withoutTextPrior } from './look-m.js';

/** LOOK-M without text prior, weighted merging (arXiv 2406.18139). */
export const lookMW = {
  name: 'look-m-w',
  title: 'LOOK-M (W-Merge)',
  summary: 'as h2o, evicted tokens are merged by similarity into their nearest conserved keys',
  kind: 'paper',
  released: { mode: 'weighted_merge', called: true },
  definitions: withoutTextPrior('weighted'),
} as const satisfies Method;
