import type { Stage } from '../stage.js';
import type { Allocate } from './allocate.js';
import { uniform } from './uniform.js';
import { weights } from './weights.js';

/** Every allocation by the name that run files use. */
export const allocates = Object.freeze({ uniform, weights } as const satisfies Record<
  string,
  Stage<Allocate>
>);
