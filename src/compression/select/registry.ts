import type { Stage } from '../stage.js';
import type { Select } from './selection.js';
import { steady } from './steady.js';
import { top } from './top.js';

/** Every selection by the name that run files use. */
export const selects = Object.freeze({ top, steady } as const satisfies Record<string, Stage<Select>>);
