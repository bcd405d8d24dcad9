import type { Method } from '../method.js';
import { paperFrame, releaseFrame } from '../policy.js';

/** What can be answered without any image in the cache. */
export const textOnly = {
  name: 'text-only',
  title: 'Text only',
  summary: 'drops every image token of a prompt that exceeds the budget',
  kind: 'control',
  released: null,
  definitions: {
    release: { composition: { prior: { rule: 'text-only', all: true } }, frame: releaseFrame },
    paper: { composition: { prior: 'text-only' }, frame: paperFrame },
  },
} as const satisfies Method;
