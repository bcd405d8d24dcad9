import type { Method } from '../method.js';

export const full = {
  name: 'full',
  title: 'Full cache',
  summary: 'keeps every row of the prompt',
  kind: 'paper',
  released: { mode: 'origin', called: true },
  definitions: null,
} as const satisfies Method;
