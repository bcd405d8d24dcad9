import type { Method } from '../method.js';
import { withoutTextPrior } from './look-m.js';

/** LOOK-M without text prior, pivotal merging (arXiv 2406.18139). */
export const lookMP = {
  name: 'look-m-p',
  title: 'LOOK-M (P-Merge)',
  summary: 'as h2o, evicted tokens are merged half-way into their nearest conserved keys',
  kind: 'paper',
  released: { mode: 'pivot_merge', called: true },
  definitions: withoutTextPrior('pivotal'),
} as const satisfies Method;
