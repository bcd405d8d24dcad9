import type { Method } from '../method.js';

export const full = {
  name: 'full',
  title: 'Full cache',
  version: 1,
  semantics: 'release',
  summary: 'keeps every row of the prompt',
  releaseMode: 'origin',
  stages: null,
} as const satisfies Method;
