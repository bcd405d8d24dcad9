import type { LayerInput } from '../layer-input.js';

/**
 * Text outranks image: [length], 1 = preferred.
 *
 * The release adds -65516 in float32 to the scores of image tokens (modify_llama.py, text_prior_h2o). Column
 * sums lie in [0, length] and no context reaches 65516 tokens, so the shift ranks every text token above every
 * image token. It also rounds image scores to a grid of 1/256 whose ties the release breaks arbitrarily; rounding
 * keeps order, so breaking those ties by the unshifted score is one of the release's possible outcomes, and the
 * one used here: preference first, raw score second.
 */
export function textPrior(layer: LayerInput): Uint8Array {
  const preferred = new Uint8Array(layer.length);
  for (let i = 0; i < layer.length; i++) preferred[i] = layer.modality[i] === 0 ? 1 : 0;
  return preferred;
}
