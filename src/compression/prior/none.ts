import { plainStage } from '../stage.js';
import { type Prior, tiers } from './prior.js';

const rule: Prior = ({ length }) => new Uint8Array(length).fill(tiers.scored);

/** Scores decide alone. */
export const noPrior = plainStage({ summary: 'scores decide alone', version: 1, rule });
