import { z } from 'zod';
import { stage } from '../stage.js';
import { type Prior, tiers } from './prior.js';

/** No image token stays, not even in the recent window. */
export const textOnly = stage({
  summary: 'no image token stays, not even in the recent window',
  version: 1,
  options: {
    /** Whether all text stays, even beyond the budget. */
    all: z.boolean().default(false),
  },
  bind: ({ all }): Prior => {
    const text = all ? tiers.always : tiers.scored;
    return ({ length, modality }) => {
      const positions = new Uint8Array(length);
      for (let i = 0; i < length; i++) positions[i] = modality[i] === 0 ? text : tiers.never;
      return positions;
    };
  },
});
