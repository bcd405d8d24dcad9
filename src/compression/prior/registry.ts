import type { Stage } from '../stage.js';
import { allText } from './all-text.js';
import { firstTokens } from './first-tokens.js';
import { noPrior } from './none.js';
import type { Prior } from './prior.js';
import { textFirst } from './text-first.js';
import { textOnly } from './text-only.js';

/** Every prior by the name that run files use. */
export const priors = Object.freeze({
  none: noPrior,
  'text-first': textFirst,
  'all-text': allText,
  'text-only': textOnly,
  'first-tokens': firstTokens,
} as const satisfies Record<string, Stage<Prior>>);
