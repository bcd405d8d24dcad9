import type { Stage } from '../stage.js';
import { average } from './average.js';
import type { MergeRule } from './merge-rule.js';
import { noMerge } from './none.js';
import { pivotal } from './pivotal.js';
import { releasedAverage } from './released-average.js';
import { releasedPivotal } from './released-pivotal.js';
import { releasedWeighted } from './released-weighted.js';
import { weighted } from './weighted.js';

/** Every merge rule by the name that run files use. */
export const merges = Object.freeze({
  none: noMerge,
  average,
  weighted,
  pivotal,
  'released-average': releasedAverage,
  'released-weighted': releasedWeighted,
  'released-pivotal': releasedPivotal,
} as const satisfies Record<string, Stage<MergeRule | null>>);
