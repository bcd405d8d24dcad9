import type { LayerInput } from '../layer-input.js';

/**
 * Importance of a token = attention weight it receives, summed over the queries of the prompt: [heads, length].
 * Source: LOOK-M equation 4, H2O; modify_llama.py:323.
 */
export function columnSumScores(layer: LayerInput): Float32Array {
  return layer.statistics.columnSums(layer.length);
}
