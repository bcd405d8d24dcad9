import type { Method } from '../method.js';
import { withTextPrior } from './look-m.js';

/** LOOK-M with text prior and pivotal merging (arXiv 2406.18139). */
export const lookMTpP = {
  name: 'look-m-tp-p',
  title: 'LOOK-M (TP + P-Merge)',
  summary: 'puts text before images; evicted tokens are merged half-way into their nearest keys',
  kind: 'paper',
  released: { mode: 'text_prior_pivot_merge', called: true },
  definitions: withTextPrior('pivotal'),
} as const satisfies Method;
