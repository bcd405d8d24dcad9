import type { Method } from '../method.js';
import { paperFrame, type Remark, releaseFrame } from '../policy.js';

/** SnapKV's own window. */
const window = 32;

const crash: Remark = ({ budget }) => {
  if (budget.recent > 0) return null;
  const then = budget.important > 0 ? 'here the last query alone votes' : 'here the full cache is kept';
  return `the published code stops with a RuntimeError on this prompt (no recent row): ${then}`;
};

/** SnapKV (arXiv 2404.14469). */
export const snapkv = {
  name: 'snapkv',
  title: 'SnapKV',
  summary: 'keeps the recent tokens and those that the last queries attend to',
  kind: 'paper',
  released: { mode: 'snapkv', called: true },
  definitions: {
    release: {
      composition: {
        score: { rule: 'window', size: 'recent' },
        select: { rule: 'top', order: 'score' },
      },
      frame: {
        ...releaseFrame,
        textPrompts: 'compressed',
        leavesAlone: 'below the budget',
        zeroBudget: 'full cache',
      },
      remark: crash,
    },
    paper: {
      composition: { score: { rule: 'window', size: window }, select: { rule: 'top', window } },
      frame: paperFrame,
    },
  },
} as const satisfies Method;
