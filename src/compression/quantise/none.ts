import { plainStage } from '../stage.js';

/** Rows stay as they are. */
export const noQuantise = plainStage({ summary: 'rows stay in float32', version: 1, rule: null });
