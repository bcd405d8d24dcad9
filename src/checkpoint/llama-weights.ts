import type { LlamaShape } from './llama-config.js';
import { findAll, type OfRules, type TensorFinder, type TensorRules } from './tensor-rules.js';

/** Linear weights are stored [out, in] in all layouts. */
const layerTensors = {
  inputNorm: { name: 'input_layernorm.weight', dims: (s) => [s.hiddenSize] },
  q: { name: 'self_attn.q_proj.weight', matrix: (s) => [s.heads * s.headDim, s.hiddenSize] },
  k: { name: 'self_attn.k_proj.weight', matrix: (s) => [s.kvHeads * s.headDim, s.hiddenSize] },
  v: { name: 'self_attn.v_proj.weight', matrix: (s) => [s.kvHeads * s.headDim, s.hiddenSize] },
  o: { name: 'self_attn.o_proj.weight', matrix: (s) => [s.hiddenSize, s.heads * s.headDim] },
  attentionNorm: { name: 'post_attention_layernorm.weight', dims: (s) => [s.hiddenSize] },
  gate: { name: 'mlp.gate_proj.weight', matrix: (s) => [s.intermediateSize, s.hiddenSize] },
  up: { name: 'mlp.up_proj.weight', matrix: (s) => [s.intermediateSize, s.hiddenSize] },
  down: { name: 'mlp.down_proj.weight', matrix: (s) => [s.hiddenSize, s.intermediateSize] },
} as const satisfies TensorRules<LlamaShape>;

export type LlamaLayer<T, M> = OfRules<typeof layerTensors, T, M>;

export interface LlamaWeights<T, M> {
  /** [vocabulary, hidden] */
  readonly embedding: T;
  readonly layers: readonly LlamaLayer<T, M>[];
  readonly norm: T;
  /** [vocabulary, hidden] */
  readonly head: M;
}

/** What the names of a language model start with, and the name of its output matrix. */
export interface LlamaNames {
  readonly prefix: string;
  readonly head: string;
}

/** Name of the token rows, by which a naming is recognised. */
export function embeddingName({ prefix }: LlamaNames): string {
  return `${prefix}embed_tokens.weight`;
}

/** A language model: sizes and weights. */
export interface Llama<T, M> {
  readonly shape: LlamaShape;
  readonly weights: LlamaWeights<T, M>;
}

/** Finds all tensors of the language model. With `tied`, the token rows serve as output matrix too. */
export function findLlama<T, M>(
  find: TensorFinder<T, M>,
  names: LlamaNames,
  { shape, tied }: { readonly shape: LlamaShape; readonly tied: boolean },
): Llama<T, M> {
  const rows = [shape.vocabSize, shape.hiddenSize] as const;
  const weights = {
    embedding: find.plain(embeddingName(names), rows),
    layers: Array.from({ length: shape.layers }, (_, layer) =>
      findAll(find, `${names.prefix}layers.${layer}.`, layerTensors, shape),
    ),
    norm: find.plain(`${names.prefix}norm.weight`, [shape.hiddenSize]),
    head: find.matrix(tied ? embeddingName(names) : names.head, rows),
  };
  return { shape, weights };
}
