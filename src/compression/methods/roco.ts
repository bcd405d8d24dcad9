import type { Method } from '../method.js';
import { paperFrame, releaseFrame } from '../policy.js';

const neverCalled =
  'the published code never calls this rule (the call is commented out): as published, RoCo is the full cache';

/** RoCo (arXiv 2402.06262). */
export const roco = {
  name: 'roco',
  title: 'RoCo',
  summary: 'keeps tokens of large mean attention, and those whose attention varies most',
  kind: 'paper',
  released: { mode: 'mean_h2o', called: false },
  definitions: {
    release: {
      composition: { score: 'column-mean' },
      frame: releaseFrame,
      remark: () => neverCalled,
    },
    paper: { composition: { score: 'visible-mean', select: 'steady' }, frame: paperFrame },
  },
} as const satisfies Method;
