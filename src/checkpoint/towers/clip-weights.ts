import { findAll, type OfRules, type TensorFinder, type TensorRules } from '../tensor-rules.js';
import type { ClipShape } from './clip-config.js';

const embeddingTensors = {
  classEmbedding: { name: 'embeddings.class_embedding', dims: (s) => [s.hiddenSize] },
  patch: {
    name: 'embeddings.patch_embedding.weight',
    dims: (s) => [s.hiddenSize, s.channels, s.patchSize, s.patchSize],
  },
  positions: {
    name: 'embeddings.position_embedding.weight',
    dims: (s) => [1 + s.patches, s.hiddenSize],
  },
  /** Spelt so in every checkpoint. */
  preNormWeight: { name: 'pre_layrnorm.weight', dims: (s) => [s.hiddenSize] },
  preNormBias: { name: 'pre_layrnorm.bias', dims: (s) => [s.hiddenSize] },
} as const satisfies TensorRules<ClipShape>;

const square = (s: ClipShape): [number, number] => [s.hiddenSize, s.hiddenSize];
const row = (s: ClipShape): number[] => [s.hiddenSize];

const layerTensors = {
  norm1Weight: { name: 'layer_norm1.weight', dims: row },
  norm1Bias: { name: 'layer_norm1.bias', dims: row },
  qWeight: { name: 'self_attn.q_proj.weight', matrix: square },
  qBias: { name: 'self_attn.q_proj.bias', dims: row },
  kWeight: { name: 'self_attn.k_proj.weight', matrix: square },
  kBias: { name: 'self_attn.k_proj.bias', dims: row },
  vWeight: { name: 'self_attn.v_proj.weight', matrix: square },
  vBias: { name: 'self_attn.v_proj.bias', dims: row },
  outWeight: { name: 'self_attn.out_proj.weight', matrix: square },
  outBias: { name: 'self_attn.out_proj.bias', dims: row },
  norm2Weight: { name: 'layer_norm2.weight', dims: row },
  norm2Bias: { name: 'layer_norm2.bias', dims: row },
  fc1Weight: { name: 'mlp.fc1.weight', matrix: (s) => [s.intermediateSize, s.hiddenSize] },
  fc1Bias: { name: 'mlp.fc1.bias', dims: (s) => [s.intermediateSize] },
  fc2Weight: { name: 'mlp.fc2.weight', matrix: (s) => [s.hiddenSize, s.intermediateSize] },
  fc2Bias: { name: 'mlp.fc2.bias', dims: row },
} as const satisfies TensorRules<ClipShape>;

export type ClipLayer<T, M> = OfRules<typeof layerTensors, T, M>;

export interface ClipWeights<T, M> {
  readonly embedding: OfRules<typeof embeddingTensors, T, M>;
  readonly layers: readonly ClipLayer<T, M>[];
}

/** A CLIP vision transformer up to the selected hidden state. */
export interface ClipTower<T, M> {
  readonly kind: 'clip';
  readonly shape: ClipShape;
  readonly weights: ClipWeights<T, M>;
}

/** Finds all tensors of the used part of a CLIP tower. */
export function findClipTower<T, M>(
  find: TensorFinder<T, M>,
  prefix: string,
  shape: ClipShape,
): ClipTower<T, M> {
  const weights = {
    embedding: findAll(find, prefix, embeddingTensors, shape),
    layers: Array.from({ length: shape.layers }, (_, layer) =>
      findAll(find, `${prefix}encoder.layers.${layer}.`, layerTensors, shape),
    ),
  };
  return { kind: 'clip', shape, weights };
}
