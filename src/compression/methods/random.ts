import type { Method } from '../method.js';
import { paperFrame, releaseFrame } from '../policy.js';

/** The least a score has to beat. */
export const random = {
  name: 'random',
  title: 'Random',
  summary: 'keeps the recent tokens and others at random',
  kind: 'control',
  released: null,
  definitions: {
    release: { composition: { score: 'random' }, frame: releaseFrame },
    paper: { composition: { score: 'random' }, frame: paperFrame },
  },
} as const satisfies Method;
