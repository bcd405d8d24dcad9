import type { Method } from '../method.js';
import { paperFrame, releaseFrame } from '../policy.js';

/** A score without attention: keys of small norm draw much of it (arXiv 2406.11430). */
export const knorm = {
  name: 'knorm',
  title: 'K-norm',
  summary: 'keeps the recent tokens and the keys of smallest norm',
  kind: 'control',
  released: null,
  definitions: {
    release: { composition: { score: 'key-norm' }, frame: releaseFrame },
    paper: { composition: { score: 'key-norm' }, frame: paperFrame },
  },
} as const satisfies Method;
