import type { Method } from '../method.js';
import { withTextPrior } from './look-m.js';

/** LOOK-M with text prior and averaged merging (arXiv 2406.18139). */
export const lookMTpA = {
  name: 'look-m-tp-a',
  title: 'LOOK-M (TP + A-Merge)',
  summary: 'puts text before images; evicted tokens are averaged into their nearest conserved keys',
  kind: 'paper',
  released: { mode: 'text_prior_avg_merge', called: true },
  definitions: withTextPrior('average'),
} as const satisfies Method;
