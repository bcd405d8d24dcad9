import { findAll, type OfRules, type TensorFinder, type TensorRules } from '../tensor-rules.js';
import type { InternVitShape } from './internvit-config.js';

const embeddingTensors = {
  classEmbedding: { name: 'embeddings.class_embedding', dims: (s) => [1, 1, s.hiddenSize] },
  patch: {
    name: 'embeddings.patch_embedding.weight',
    dims: (s) => [s.hiddenSize, s.channels, s.patchSize, s.patchSize],
  },
  patchBias: { name: 'embeddings.patch_embedding.bias', dims: (s) => [s.hiddenSize] },
  /** For the grid the tower was trained on. */
  positions: {
    name: 'embeddings.position_embedding',
    dims: (s) => [1, 1 + s.trainedGrid ** 2, s.hiddenSize],
  },
} as const satisfies TensorRules<InternVitShape>;

const row = (s: InternVitShape): number[] => [s.hiddenSize];

const layerTensors = {
  norm1: { name: 'norm1.weight', dims: row },
  /** Rows of q, of k, of v; heads within each. */
  qkv: { name: 'attn.qkv.weight', matrix: (s) => [3 * s.hiddenSize, s.hiddenSize] },
  proj: { name: 'attn.proj.weight', matrix: (s) => [s.hiddenSize, s.hiddenSize] },
  projBias: { name: 'attn.proj.bias', dims: row },
  scale1: { name: 'ls1', dims: row },
  norm2: { name: 'norm2.weight', dims: row },
  fc1: { name: 'mlp.fc1.weight', matrix: (s) => [s.intermediateSize, s.hiddenSize] },
  fc1Bias: { name: 'mlp.fc1.bias', dims: (s) => [s.intermediateSize] },
  fc2: { name: 'mlp.fc2.weight', matrix: (s) => [s.hiddenSize, s.intermediateSize] },
  fc2Bias: { name: 'mlp.fc2.bias', dims: row },
  scale2: { name: 'ls2', dims: row },
} as const satisfies TensorRules<InternVitShape>;

/** Tensors of a layer where the config asks for them. */
const normTensors = {
  qNorm: { name: 'attn.q_norm.weight', dims: row },
  kNorm: { name: 'attn.k_norm.weight', dims: row },
} as const satisfies TensorRules<InternVitShape>;
const biasTensors = {
  qkvBias: { name: 'attn.qkv.bias', dims: (s) => [3 * s.hiddenSize] },
} as const satisfies TensorRules<InternVitShape>;

export type InternVitLayer<T, M> = OfRules<typeof layerTensors, T, M> &
  Partial<OfRules<typeof normTensors & typeof biasTensors, T, M>>;

export interface InternVitWeights<T, M> {
  readonly embedding: OfRules<typeof embeddingTensors, T, M>;
  readonly layers: readonly InternVitLayer<T, M>[];
}

/** An InternViT up to the selected hidden state. */
export interface InternVitTower<T, M> {
  readonly kind: 'internvit';
  readonly shape: InternVitShape;
  readonly weights: InternVitWeights<T, M>;
}

/** Finds all tensors of the used part of an InternViT. */
export function findInternVitTower<T, M>(
  find: TensorFinder<T, M>,
  prefix: string,
  shape: InternVitShape,
): InternVitTower<T, M> {
  const layers = Array.from({ length: shape.layers }, (_, layer) => {
    const name = `${prefix}encoder.layers.${layer}.`;
    return {
      ...findAll(find, name, layerTensors, shape),
      ...(shape.qkNorm ? findAll(find, name, normTensors, shape) : {}),
      ...(shape.qkvBias ? findAll(find, name, biasTensors, shape) : {}),
    };
  });
  const weights = { embedding: findAll(find, prefix, embeddingTensors, shape), layers };
  return { kind: 'internvit', shape, weights };
}
