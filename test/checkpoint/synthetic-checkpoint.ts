import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { seededRandom } from '../../src/core/seeded-random.js';
import { elementCount } from '../../src/core/tensor.js';
import { encodeFloats, type RawTensor, writeSafetensors } from './write-safetensors.js';

/** Sizes of a made-up checkpoint; small unless said otherwise. */
export interface SyntheticShape {
  hidden: number;
  intermediate: number;
  layers: number;
  heads: number;
  kvHeads: number;
  headDim: number;
  vocabulary: number;
  towerWidth: number;
  towerWide: number;
  towerLayers: number;
  towerHeads: number;
  imageSize: number;
  patchSize: number;
}

export const smallShape: SyntheticShape = {
  hidden: 24,
  intermediate: 40,
  layers: 2,
  heads: 3,
  kvHeads: 3,
  headDim: 8,
  vocabulary: 50,
  towerWidth: 16,
  towerWide: 32,
  towerLayers: 3,
  towerHeads: 2,
  imageSize: 12,
  patchSize: 4,
};

export type JsonObject = Record<string, unknown>;

/** The `llava-hf` files of a made-up checkpoint; change them, then write them. */
export interface SyntheticCheckpoint {
  readonly shape: SyntheticShape;
  /** Weights by part name in the newer key order of transformers. */
  readonly weights: Map<string, { dims: readonly number[]; values: Float32Array }>;
  readonly config: JsonObject & { text_config: JsonObject; vision_config: JsonObject };
  /** Further JSON files by name. */
  readonly files: Record<string, unknown>;
}

/** Random weights whose values are exact in F32, F16 and BF16 alike. */
export function syntheticCheckpoint(change: Partial<SyntheticShape> = {}, seed = 1): SyntheticCheckpoint {
  const shape = { ...smallShape, ...change };
  const random = seededRandom(seed);
  const weights: SyntheticCheckpoint['weights'] = new Map();
  const add = (name: string, ...dims: number[]): void => {
    const norm = /norm\d?\.weight$/.test(name);
    const values = Float32Array.from({ length: elementCount(dims) }, () => {
      const step = Math.floor(random() * 121) - 60;
      return norm ? 1 + step / 128 : step / 256;
    });
    weights.set(name, { dims, values });
  };
  const { hidden, intermediate, heads, kvHeads, headDim, vocabulary } = shape;
  add('model.language_model.embed_tokens.weight', vocabulary, hidden);
  for (let layer = 0; layer < shape.layers; layer++) {
    const name = `model.language_model.layers.${layer}`;
    add(`${name}.input_layernorm.weight`, hidden);
    add(`${name}.post_attention_layernorm.weight`, hidden);
    add(`${name}.self_attn.q_proj.weight`, heads * headDim, hidden);
    add(`${name}.self_attn.k_proj.weight`, kvHeads * headDim, hidden);
    add(`${name}.self_attn.v_proj.weight`, kvHeads * headDim, hidden);
    add(`${name}.self_attn.o_proj.weight`, hidden, heads * headDim);
    add(`${name}.mlp.gate_proj.weight`, intermediate, hidden);
    add(`${name}.mlp.up_proj.weight`, intermediate, hidden);
    add(`${name}.mlp.down_proj.weight`, hidden, intermediate);
  }
  add('model.language_model.norm.weight', hidden);
  add('lm_head.weight', vocabulary, hidden);
  addTower(add, shape);
  add('model.multi_modal_projector.linear_1.weight', hidden, shape.towerWidth);
  add('model.multi_modal_projector.linear_1.bias', hidden);
  add('model.multi_modal_projector.linear_2.weight', hidden, hidden);
  add('model.multi_modal_projector.linear_2.bias', hidden);
  return { shape, weights, config: configOf(shape), files: filesOf(shape) };
}

function addTower(add: (name: string, ...dims: number[]) => void, shape: SyntheticShape): void {
  const tower = 'model.vision_tower.vision_model';
  const width = shape.towerWidth;
  add(`${tower}.embeddings.class_embedding`, width);
  add(`${tower}.embeddings.patch_embedding.weight`, width, 3, shape.patchSize, shape.patchSize);
  add(`${tower}.embeddings.position_embedding.weight`, 1 + (shape.imageSize / shape.patchSize) ** 2, width);
  for (const end of ['weight', 'bias']) {
    add(`${tower}.pre_layrnorm.${end}`, width);
    add(`${tower}.post_layernorm.${end}`, width);
  }
  for (let layer = 0; layer < shape.towerLayers; layer++) {
    const name = `${tower}.encoder.layers.${layer}`;
    const linear = (part: string, to: number, from: number): void => {
      add(`${name}.${part}.weight`, to, from);
      add(`${name}.${part}.bias`, to);
    };
    for (const part of ['q', 'k', 'v', 'out']) linear(`self_attn.${part}_proj`, width, width);
    linear('mlp.fc1', shape.towerWide, width);
    linear('mlp.fc2', width, shape.towerWide);
    for (const norm of ['layer_norm1', 'layer_norm2']) {
      add(`${name}.${norm}.weight`, width);
      add(`${name}.${norm}.bias`, width);
    }
  }
}

function configOf(shape: SyntheticShape): SyntheticCheckpoint['config'] {
  return {
    model_type: 'llava',
    vision_feature_layer: -2,
    text_config: {
      model_type: 'llama',
      hidden_size: shape.hidden,
      intermediate_size: shape.intermediate,
      num_hidden_layers: shape.layers,
      num_attention_heads: shape.heads,
      num_key_value_heads: shape.kvHeads,
      head_dim: shape.headDim,
      vocab_size: shape.vocabulary,
      max_position_embeddings: 64,
      rms_norm_eps: 1e-5,
    },
    vision_config: {
      hidden_size: shape.towerWidth,
      intermediate_size: shape.towerWide,
      num_hidden_layers: shape.towerLayers,
      num_attention_heads: shape.towerHeads,
      image_size: shape.imageSize,
      patch_size: shape.patchSize,
    },
  };
}

function filesOf({ imageSize }: SyntheticShape): Record<string, unknown> {
  return {
    'generation_config.json': { bos_token_id: 1, eos_token_id: 2 },
    'preprocessor_config.json': { size: { shortest_edge: imageSize }, crop_size: imageSize },
    'tokenizer.json': { version: '1.0' },
    'tokenizer_config.json': { tokenizer_class: 'LlamaTokenizerFast' },
  };
}

/** Writes the checkpoint to `dir`, by default in F32 and one weight file. */
export async function writeCheckpoint(
  dir: string,
  { weights, config, files }: SyntheticCheckpoint,
  dtype: 'F32' | 'F16' | 'BF16' = 'F32',
): Promise<string> {
  await mkdir(dir, { recursive: true });
  await writeJson(join(dir, 'config.json'), config);
  for (const [name, content] of Object.entries(files)) await writeJson(join(dir, name), content);
  const tensors = new Map<string, RawTensor>();
  for (const [name, { dims, values }] of weights) {
    tensors.set(name, { dtype, dims, data: encodeFloats(values, dtype) });
  }
  await writeSafetensors(join(dir, 'model.safetensors'), tensors);
  return dir;
}

export async function writeJson(path: string, content: unknown): Promise<void> {
  await writeFile(path, JSON.stringify(content));
}
