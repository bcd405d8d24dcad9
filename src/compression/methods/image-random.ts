import type { Method } from '../method.js';
import { paperFrame, releaseFrame } from '../policy.js';

/** What choosing image tokens by attention has to beat. */
export const imageRandom = {
  name: 'image-random',
  title: 'Random images',
  summary: 'the text prior, with image tokens chosen at random',
  kind: 'control',
  released: null,
  definitions: {
    release: {
      composition: { score: 'image-random', prior: 'all-text' },
      frame: { ...releaseFrame, zeroBudget: 'full cache' },
    },
    paper: { composition: { score: 'image-random', prior: 'text-first' }, frame: paperFrame },
  },
} as const satisfies Method;
