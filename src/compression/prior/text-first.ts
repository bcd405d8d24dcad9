import { plainStage } from '../stage.js';
import { type Prior, tiers } from './prior.js';

const rule: Prior = ({ length, modality }) => {
  const positions = new Uint8Array(length);
  for (let i = 0; i < length; i++) positions[i] = modality[i] === 0 ? tiers.preferred : tiers.scored;
  return positions;
};

/**
 * Text outranks images within the budget; under a small one, text competes with text.
 *
 * Equation 5 adds T_p = max(A_s) to the scores of text. Column sums are not negative, so that ranks every text token
 * before every image token; ranking instead of adding keeps float32 from rounding text scores into ties.
 */
export const textFirst = plainStage({ summary: 'text outranks images, within the budget', version: 1, rule });
