import type { Method } from '../method.js';
import { withoutTextPrior } from './look-m.js';

/** LOOK-M without text prior, averaged merging (arXiv 2406.18139). */
export const lookMA = {
  name: 'look-m-a',
  title: 'LOOK-M (A-Merge)',
  summary: 'as h2o, evicted tokens are averaged into their nearest conserved keys',
  kind: 'paper',
  released: { mode: 'avg_merge', called: true },
  definitions: withoutTextPrior('average'),
} as const satisfies Method;
