import { plainStage } from '../stage.js';
import { type Prior, tiers } from './prior.js';

const rule: Prior = ({ length, modality }) => {
  const positions = new Uint8Array(length);
  for (let i = 0; i < length; i++) positions[i] = modality[i] === 0 ? tiers.always : tiers.scored;
  return positions;
};

/**
 * All text stays, even beyond the budget; images get what is left of it.
 *
 * The release adds -65516 in float32 to the scores of image tokens (modify_llama.py, text_prior_h2o) and keeps whatever
 * is not negative then. Column sums lie in [0, length] and no context reaches 65516 tokens, so every text token stays.
 * The shift also rounds image scores to a grid of 1/256 whose ties the release breaks arbitrarily; rounding keeps order,
 * so ordering by the unshifted score is one of the release's possible outcomes, and the one used here.
 */
export const allText = plainStage({
  summary: 'all text stays, even beyond the budget; images get what is left of it',
  version: 1,
  rule,
});
