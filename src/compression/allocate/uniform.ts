import { plainStage } from '../stage.js';
import type { Allocate } from './allocate.js';

const rule: Allocate = { rows: (budget) => budget, layers: null };

/** The same rows in every layer. */
export const uniform = plainStage({ summary: 'the same rows in every layer', version: 1, rule });
