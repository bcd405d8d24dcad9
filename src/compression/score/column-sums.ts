import type { LayerInput } from '../layer-input.js';

/**
 * Importance of a token = attention weight it receives, summed over the queries of the prompt: [heads, length].
 * Source: H2O, LOOK-M; modify_llama.py:323.
 */
export function columnSumScores(layer: LayerInput): Float32Array {
  return layer.statistics.columnSums(layer.length);
}
