import { plainStage } from '../stage.js';

/** Evicted tokens are lost. */
export const noMerge = plainStage({ summary: 'evicted tokens are lost', version: 1, rule: null });
