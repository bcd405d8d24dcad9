import type { Method } from '../method.js';
import { withTextPrior } from './look-m.js';

/** The text prior of LOOK-M without any merge: what merging has to beat. */
export const lookMTp = {
  name: 'look-m-tp',
  title: 'LOOK-M text prior alone',
  summary: 'puts text before images and merges nothing',
  kind: 'control',
  released: { mode: 'text_prior_h2o', called: true },
  definitions: withTextPrior(null),
} as const satisfies Method;
