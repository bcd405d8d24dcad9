import { z } from 'zod';
import { stage } from '../stage.js';
import { type Prior, tiers } from './prior.js';

/** The first positions outrank all others. Source: modify_llama.py:284, scores of positions 0..3 set to infinity. */
export const firstTokens = stage({
  summary: 'the first positions outrank all others, within the budget',
  version: 1,
  options: { count: z.int().positive().default(4) },
  bind:
    ({ count }): Prior =>
    ({ length }) =>
      new Uint8Array(length).fill(tiers.scored).fill(tiers.preferred, 0, Math.min(count, length)),
});
