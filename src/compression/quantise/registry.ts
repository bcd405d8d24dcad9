import type { Stage } from '../stage.js';
import { int8 } from './int8.js';
import { noQuantise } from './none.js';
import type { Quantise } from './quantise.js';

/** Every way to store rows while decoding, by the name that run files use. */
export const quantises = Object.freeze({ none: noQuantise, int8 } as const satisfies Record<
  string,
  Stage<Quantise | null>
>);
