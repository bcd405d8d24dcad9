import type { SyntheticCheckpoint } from '../checkpoint/synthetic-checkpoint.js';
import { type ReferencePrefill, referenceLlama } from '../support/reference/llama.js';
import type { RoundOperand } from '../support/reference/rows.js';

/** A prefill of the language model of a made-up checkpoint, in float64. */
export function referencePrefill(
  { shape, weights, config }: SyntheticCheckpoint,
  embeddings: readonly Float64Array[],
  round?: RoundOperand,
): ReferencePrefill {
  const text = config.text_config as { rms_norm_eps: number; rope_theta?: number };
  return referenceLlama(
    { weight: (name) => weights.get(name)!.values, round },
    { prefix: 'model.language_model.', head: 'lm_head.weight' },
    embeddings,
    { ...shape, eps: text.rms_norm_eps, ropeTheta: text.rope_theta ?? 10000 },
  );
}
