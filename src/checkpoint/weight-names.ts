import type { ClipShape } from './clip-config.js';
import type { LlamaShape } from './llama-config.js';

/** Where a tensor of a part is named in its file, and the shape the config gives it. */
interface PlainRule<Shape> {
  readonly name: string;
  readonly dims: (shape: Shape) => readonly number[];
}

/** The same for the [out, in] matrix of a linear layer: a bundle may hold it in fewer bits. */
interface MatrixRule<Shape> {
  readonly name: string;
  readonly matrix: (shape: Shape) => readonly [number, number];
}
type TensorRules<Shape> = Readonly<Record<string, PlainRule<Shape> | MatrixRule<Shape>>>;

/** One value for each rule: an `M` for a matrix of a linear layer, a `T` for any other tensor. */
type OfRules<Rules, T, M> = {
  readonly [Part in keyof Rules]: Rules[Part] extends { readonly matrix: unknown } ? M : T;
};

/** Linear weights are stored [out, in] in all layouts. */
const llamaLayerTensors = {
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

const clipEmbeddingTensors = {
  classEmbedding: { name: 'embeddings.class_embedding', dims: (s) => [s.hiddenSize] },
  patch: {
    name: 'embeddings.patch_embedding.weight',
    dims: (s) => [s.hiddenSize, s.channels, s.patchSize, s.patchSize],
  },
  positions: {
    name: 'embeddings.position_embedding.weight',
    dims: (s) => [1 + s.tokensPerImage, s.hiddenSize],
  },
  /** Spelt so in every checkpoint. */
  preNormWeight: { name: 'pre_layrnorm.weight', dims: (s) => [s.hiddenSize] },
  preNormBias: { name: 'pre_layrnorm.bias', dims: (s) => [s.hiddenSize] },
} as const satisfies TensorRules<ClipShape>;

const square = (s: ClipShape): [number, number] => [s.hiddenSize, s.hiddenSize];
const row = (s: ClipShape): number[] => [s.hiddenSize];

const clipLayerTensors = {
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

/** Tensors of the parts of a LLaVA model, whatever they are called in the checkpoint. */
export type LlamaLayer<T, M> = OfRules<typeof llamaLayerTensors, T, M>;
export type ClipLayer<T, M> = OfRules<typeof clipLayerTensors, T, M>;
export type ClipEmbedding<T, M> = OfRules<typeof clipEmbeddingTensors, T, M>;

export interface LlamaWeights<T, M> {
  /** [vocabulary, hidden] */
  readonly embedding: T;
  readonly layers: readonly LlamaLayer<T, M>[];
  readonly norm: T;
  /** [vocabulary, hidden] */
  readonly head: M;
}

export interface ClipWeights<T, M> {
  readonly embedding: ClipEmbedding<T, M>;
  readonly layers: readonly ClipLayer<T, M>[];
}

/** Two linear layers with an exact GELU between them. */
export interface ProjectorWeights<T, M> {
  readonly weight1: M;
  readonly bias1: T;
  readonly weight2: M;
  readonly bias2: T;
}

/** Prefixes of the parts' names in one layout. */
export interface NamingScheme {
  readonly text: string;
  readonly head: string;
  readonly tower: string;
  readonly projector1: string;
  readonly projector2: string;
}

/** `liuhaotian/llava-v1.5`: the tower lies in a CLIP folder of its own. */
export const llavaNames: NamingScheme = {
  text: 'model.',
  head: 'lm_head.weight',
  tower: 'vision_model.',
  projector1: 'model.mm_projector.0.',
  projector2: 'model.mm_projector.2.',
};

/** `llava-hf/llava-1.5`: as published, and as newer transformers save it. */
export const llavaHfNames: readonly NamingScheme[] = [
  {
    text: 'language_model.model.',
    head: 'language_model.lm_head.weight',
    tower: 'vision_tower.vision_model.',
    projector1: 'multi_modal_projector.linear_1.',
    projector2: 'multi_modal_projector.linear_2.',
  },
  {
    text: 'model.language_model.',
    head: 'lm_head.weight',
    tower: 'model.vision_tower.vision_model.',
    projector1: 'model.multi_modal_projector.linear_1.',
    projector2: 'model.multi_modal_projector.linear_2.',
  },
];

/** Name of the token rows, by which a naming scheme is recognised. */
export function embeddingName(names: NamingScheme): string {
  return `${names.text}embed_tokens.weight`;
}

/** Finds one tensor by its name in the checkpoint and the shape it must have. */
export interface TensorFinder<T, M> {
  plain(name: string, dims: readonly number[]): T;
  /** The weight of a linear layer, [out, in]. */
  matrix(name: string, dims: readonly [number, number]): M;
}

/** All tensors of the language model. With `tied`, the token rows serve as output matrix too. */
export function llamaWeights<T, M>(
  find: TensorFinder<T, M>,
  names: NamingScheme,
  shape: LlamaShape & { readonly tied: boolean },
): LlamaWeights<T, M> {
  const rows = [shape.vocabSize, shape.hiddenSize] as const;
  return {
    embedding: find.plain(embeddingName(names), rows),
    layers: Array.from({ length: shape.layers }, (_, layer) =>
      findAll(find, `${names.text}layers.${layer}.`, llamaLayerTensors, shape),
    ),
    norm: find.plain(`${names.text}norm.weight`, [shape.hiddenSize]),
    head: find.matrix(shape.tied ? embeddingName(names) : names.head, rows),
  };
}

/** All tensors of the used part of the CLIP tower. */
export function clipWeights<T, M>(
  find: TensorFinder<T, M>,
  names: NamingScheme,
  shape: ClipShape,
): ClipWeights<T, M> {
  return {
    embedding: findAll(find, names.tower, clipEmbeddingTensors, shape),
    layers: Array.from({ length: shape.layers }, (_, layer) =>
      findAll(find, `${names.tower}encoder.layers.${layer}.`, clipLayerTensors, shape),
    ),
  };
}

/** All tensors of the projector from the tower's width to the language model's. */
export function projectorWeights<T, M>(
  find: TensorFinder<T, M>,
  names: NamingScheme,
  { from, to }: { readonly from: number; readonly to: number },
): ProjectorWeights<T, M> {
  return {
    weight1: find.matrix(`${names.projector1}weight`, [to, from]),
    bias1: find.plain(`${names.projector1}bias`, [to]),
    weight2: find.matrix(`${names.projector2}weight`, [to, to]),
    bias2: find.plain(`${names.projector2}bias`, [to]),
  };
}

function findAll<T, M, Shape, Rules extends TensorRules<Shape>>(
  find: TensorFinder<T, M>,
  prefix: string,
  rules: Rules,
  shape: Shape,
): OfRules<Rules, T, M> {
  const found: Partial<Record<keyof Rules, T | M>> = {};
  for (const part of Object.keys(rules) as (keyof Rules & string)[]) {
    const rule = rules[part]!;
    const name = prefix + rule.name;
    found[part] =
      'matrix' in rule ? find.matrix(name, rule.matrix(shape)) : find.plain(name, rule.dims(shape));
  }
  return found as OfRules<Rules, T, M>;
}
