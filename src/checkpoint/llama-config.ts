import { z } from 'zod';

/** Sizes of a Llama language model. */
export interface LlamaShape {
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly vocabSize: number;
  readonly rmsNormEps: number;
  readonly ropeTheta: number;
  readonly maxPositions: number;
}

/** Well above the largest published models; bounds what a damaged config can make us allocate. */
const maxWidth = 1 << 20;
const maxLayers = 1024;
const maxVocabulary = 1 << 22;
export const mostPositions = 1 << 20;

const width = z.int().positive().max(maxWidth);
const tokenId = z.int().nonnegative();

const plainRope = z
  .object({
    rope_type: z.string().optional(),
    type: z.string().optional(),
    rope_theta: z.number().positive().optional(),
  })
  .nullish()
  .refine((rope) => rope == null || (rope.rope_type ?? rope.type ?? 'default') === 'default', {
    error: 'only plain rotary positions are supported',
  });

/** Tells apart fields of a config that are absent from those that are turned off. */
const off = (name: string) => z.literal(false, { error: `${name} is not supported` }).default(false);

/**
 * Llama fields of a Hugging Face config. What a file leaves out has the value of transformers' `LlamaConfig`.
 */
export const llamaConfigSchema = z.object({
  model_type: z.string().optional(),
  hidden_size: width.default(4096),
  intermediate_size: width.default(11008),
  num_hidden_layers: z.int().positive().max(maxLayers).default(32),
  num_attention_heads: width.default(32),
  num_key_value_heads: width.nullish(),
  head_dim: width.nullish(),
  vocab_size: z.int().positive().max(maxVocabulary).default(32000),
  max_position_embeddings: z.int().positive().max(mostPositions).default(2048),
  rms_norm_eps: z.number().positive().default(1e-6),
  rope_theta: z.number().positive().default(10000),
  rope_scaling: plainRope,
  rope_parameters: plainRope,
  hidden_act: z.literal('silu', { error: 'only silu is supported' }).default('silu'),
  attention_bias: off('attention bias'),
  mlp_bias: off('MLP bias'),
  sliding_window: z.null({ error: 'sliding window attention is not supported' }).optional(),
  tie_word_embeddings: z.boolean().optional(),
  bos_token_id: tokenId.nullish(),
  eos_token_id: z.union([tokenId, z.array(tokenId).min(1)]).nullish(),
});
export type LlamaConfig = z.output<typeof llamaConfigSchema>;

/** Why the head counts of a config do not fit together, or `undefined` when they do. */
export function headMismatch(config: LlamaConfig): string | undefined {
  const heads = config.num_attention_heads;
  const kvHeads = config.num_key_value_heads ?? heads;
  if (heads % kvHeads !== 0) {
    return `num_attention_heads ${heads} is not a multiple of num_key_value_heads ${kvHeads}`;
  }
  if (config.head_dim == null && config.hidden_size % heads !== 0) {
    return `hidden_size ${config.hidden_size} is not a multiple of num_attention_heads ${heads}`;
  }
  if (headDim(config) % 2 !== 0) return `head_dim ${headDim(config)} is odd, so it cannot be rotated`;
  return undefined;
}

/** The sizes in `lookm`'s own words. */
export function llamaShape(config: LlamaConfig): LlamaShape {
  return {
    hiddenSize: config.hidden_size,
    intermediateSize: config.intermediate_size,
    layers: config.num_hidden_layers,
    heads: config.num_attention_heads,
    kvHeads: config.num_key_value_heads ?? config.num_attention_heads,
    headDim: headDim(config),
    vocabSize: config.vocab_size,
    rmsNormEps: config.rms_norm_eps,
    ropeTheta: config.rope_parameters?.rope_theta ?? config.rope_theta,
    maxPositions: config.max_position_embeddings,
  };
}

function headDim(config: LlamaConfig): number {
  return config.head_dim ?? config.hidden_size / config.num_attention_heads;
}
