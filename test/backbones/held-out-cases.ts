import { referenceClip } from '../support/reference/clip.js';
import { referenceInternVit } from '../support/reference/internvit.js';
import { referenceLdp, referenceMlp } from '../support/reference/projectors.js';
import type { HeldOut } from './held-out.js';
import {
  addClip,
  addInternVit,
  addLdp,
  addLlama,
  addMlp,
  RandomTensors,
  type TextSizes,
  type TowerSizes,
} from './random-tensors.js';

/** Fields of a Llama config; what equals a default of transformers is left out. */
function llamaConfig(sizes: TextSizes): Record<string, unknown> {
  return {
    hidden_size: sizes.hidden,
    intermediate_size: sizes.wide,
    num_hidden_layers: sizes.layers,
    num_attention_heads: sizes.heads,
    ...(sizes.kvHeads === sizes.heads ? {} : { num_key_value_heads: sizes.kvHeads }),
    ...(sizes.headDim * sizes.heads === sizes.hidden ? {} : { head_dim: sizes.headDim }),
    vocab_size: sizes.vocabulary,
  };
}

function towerConfig(sizes: TowerSizes, imageSize: number): Record<string, unknown> {
  return {
    hidden_size: sizes.width,
    intermediate_size: sizes.wide,
    num_hidden_layers: sizes.layers,
    num_attention_heads: sizes.heads,
    image_size: imageSize,
    patch_size: sizes.patchSize,
  };
}

const originalNames = { prefix: 'model.', head: 'lm_head.weight' };
const originalMlp = { first: 'model.mm_projector.0', second: 'model.mm_projector.2' };

/** LLaVA-1.5: the CLIP tower in a folder, a copy in the checkpoint that must not be used; head size 80, one K/V head. */
function llava(): HeldOut {
  const text = { hidden: 160, wide: 88, layers: 2, heads: 2, kvHeads: 1, headDim: 80, vocabulary: 651 };
  const tower = { width: 36, wide: 52, layers: 4, heads: 3, patchSize: 5, grid: 7 };
  const imageSize = 37;
  const tensors = new RandomTensors(11);
  addLlama(tensors.into('model-1.safetensors', 'model.'), text);
  tensors.into('model-2.safetensors')('lm_head.weight', text.vocabulary, text.hidden);
  addMlp(tensors.into('model-2.safetensors'), originalMlp, { from: tower.width, to: text.hidden });
  addClip(tensors.into('model-2.safetensors', 'model.vision_tower.vision_tower.vision_model.'), tower);
  addClip(tensors.into('clip/model.safetensors', 'vision_model.'), tower);
  const inCheckpoint = [...tensors.all].filter(([, { file }]) => !file.startsWith('clip/'));
  const { weight } = tensors;
  return {
    name: 'llava',
    tensors: tensors.all,
    imageSize,
    template: 'llava_llama_2',
    files: {
      'config.json': {
        ...llamaConfig(text),
        model_type: 'llava_llama',
        max_position_embeddings: 1024,
        rms_norm_eps: 1e-5,
        mm_projector_type: 'mlp2x_gelu',
        mm_vision_select_layer: -3,
        mm_vision_tower: 'openai/clip-vit-large-patch14-336',
        image_aspect_ratio: 'pad',
      },
      'clip/config.json': { model_type: 'clip', vision_config: towerConfig(tower, imageSize) },
      'clip/preprocessor_config.json': { size: imageSize, crop_size: imageSize },
      'model.safetensors.index.json': {
        weight_map: Object.fromEntries(inCheckpoint.map(([name, { file }]) => [name, file])),
      },
    },
    reference: {
      weights: { weight },
      llama: originalNames,
      sizes: { ...text, eps: 1e-5, ropeTheta: 10000 },
      vision: (weights, pixels) => {
        const sizes = { ...tower, imageSize, eps: 1e-5, state: 2, activation: 'quick_gelu' } as const;
        const { embeddings, features } = referenceClip(weights, 'vision_model.', pixels, sizes);
        return { embeddings, tower: features, features: referenceMlp(weights, originalMlp, features) };
      },
    },
  };
}

/** LLaVA-1.5 as transformers saves it: tied output matrix, another rotary base, GELU in the tower, wide heads. */
function llavaHf(): HeldOut {
  const text = { hidden: 60, wide: 100, layers: 3, heads: 4, kvHeads: 2, headDim: 18, vocabulary: 640 };
  const tower = { width: 40, wide: 72, layers: 3, heads: 5, patchSize: 4, grid: 6 };
  const imageSize = 24;
  const tensors = new RandomTensors(12);
  const file = 'model.safetensors';
  const names = { prefix: 'language_model.model.', head: 'language_model.model.embed_tokens.weight' };
  addLlama(tensors.into(file, names.prefix), text);
  const mlp = { first: 'multi_modal_projector.linear_1', second: 'multi_modal_projector.linear_2' };
  addMlp(tensors.into(file), mlp, { from: tower.width, to: text.hidden });
  addClip(tensors.into(file, 'vision_tower.vision_model.'), tower);
  const { weight } = tensors;
  return {
    name: 'llava-hf',
    tensors: tensors.all,
    imageSize,
    template: 'llava_llama_2',
    files: {
      'config.json': {
        model_type: 'llava',
        text_config: { ...llamaConfig(text), rope_theta: 20000, tie_word_embeddings: true },
        vision_config: { ...towerConfig(tower, imageSize), hidden_act: 'gelu', layer_norm_eps: 1e-6 },
        vision_feature_layer: 1,
      },
      'preprocessor_config.json': {
        size: { shortest_edge: imageSize },
        crop_size: { height: imageSize, width: imageSize },
      },
    },
    reference: {
      weights: { weight },
      llama: names,
      sizes: { ...text, eps: 1e-6, ropeTheta: 20000 },
      vision: (weights, pixels) => {
        const sizes = { ...tower, imageSize, eps: 1e-6, state: 1, activation: 'gelu' } as const;
        const prefix = 'vision_tower.vision_model.';
        const { embeddings, features } = referenceClip(weights, prefix, pixels, sizes);
        return { embeddings, tower: features, features: referenceMlp(weights, mlp, features) };
      },
    },
  };
}

/** MobileVLM_V2: a tower of its own beside one that must not be used; a grid that 12 does not divide, or a smaller one. */
function mobilevlm(grid: number, seed: number): HeldOut {
  const text = { hidden: 72, wide: 112, layers: 2, heads: 3, kvHeads: 3, headDim: 24, vocabulary: 633 };
  const tower = { width: 30, wide: 44, layers: 3, heads: 5, patchSize: 3, grid };
  const imageSize = 3 * grid;
  const tensors = new RandomTensors(seed);
  const file = 'model.safetensors';
  const prefix = 'model.vision_tower.vision_tower.vision_model.';
  addLlama(tensors.into(file, 'model.'), text);
  tensors.into(file)('lm_head.weight', text.vocabulary, text.hidden);
  addLdp(tensors.into(file, 'model.mm_projector.'), { from: tower.width, to: text.hidden });
  addClip(tensors.into(file, prefix), tower);
  addClip(tensors.into('clip/model.safetensors', 'vision_model.'), tower);
  const { weight } = tensors;
  return {
    name: `mobilevlm, grid of ${grid}`,
    tensors: tensors.all,
    imageSize,
    template: 'v1',
    files: {
      'config.json': {
        ...llamaConfig(text),
        model_type: 'mobilevlm',
        max_position_embeddings: 900,
        mm_projector_type: 'ldpnetv2',
        mm_vision_tower: 'openai/clip-vit-large-patch14-336',
        image_aspect_ratio: 'pad',
      },
      'clip/config.json': towerConfig(tower, imageSize),
      'clip/preprocessor_config.json': { size: imageSize, crop_size: imageSize },
    },
    reference: {
      weights: { weight },
      llama: originalNames,
      sizes: { ...text, eps: 1e-6, ropeTheta: 10000 },
      vision: (weights, pixels) => {
        const sizes = { ...tower, imageSize, eps: 1e-5, state: 2, activation: 'quick_gelu' } as const;
        const { embeddings, features } = referenceClip(weights, prefix, pixels, sizes);
        const projected = referenceLdp(weights, 'model.mm_projector.', features);
        return { embeddings, tower: features, features: projected.features };
      },
    },
  };
}

interface InternVlVariant {
  readonly name: string;
  readonly seed: number;
  readonly trainedGrid: number;
  readonly imageSize: number;
  readonly selectLayer: number;
  readonly state: number;
  readonly qkNorm: boolean;
  readonly qkvBias: boolean;
}

/** InternVL-Chat: a tower trained on another grid than it is run on; copies in the checkpoint must not be used. */
function internvl({
  name,
  seed,
  trainedGrid,
  imageSize,
  selectLayer,
  state,
  ...parts
}: InternVlVariant): HeldOut {
  const text = { hidden: 80, wide: 96, layers: 2, heads: 4, kvHeads: 4, headDim: 20, vocabulary: 644 };
  const tower = { width: 52, wide: 60, layers: 5, heads: 4, patchSize: 3, grid: trainedGrid };
  const tensors = new RandomTensors(seed);
  const file = 'model.safetensors';
  addLlama(tensors.into(file, 'model.'), text);
  tensors.into(file)('lm_head.weight', text.vocabulary, text.hidden);
  addMlp(tensors.into(file), originalMlp, { from: tower.width, to: text.hidden });
  addInternVit(tensors.into(file, 'model.vision_tower.vision_tower.'), tower, parts);
  const folder = 'intern_vit_6b_tiny';
  addInternVit(tensors.into(`${folder}/model.safetensors`), tower, parts);
  const { weight } = tensors;
  return {
    name: `internvl, ${name}`,
    tensors: tensors.all,
    imageSize,
    template: 'internlm2-chat',
    files: {
      'config.json': {
        ...llamaConfig(text),
        model_type: 'llava_llama',
        max_position_embeddings: 800,
        rms_norm_eps: 1e-5,
        mm_projector_type: 'mlp2x_gelu',
        mm_vision_select_layer: selectLayer,
        mm_vision_tower: `./pretrained/${folder}`,
        image_aspect_ratio: 'pad',
      },
      'preprocessor_config.json': {
        size: imageSize,
        crop_size: imageSize,
        image_mean: [0.485, 0.456, 0.406],
        image_std: [0.229, 0.224, 0.225],
      },
      [`${folder}/config.json`]: {
        ...towerConfig(tower, 3 * trainedGrid),
        model_type: 'intern_vit_6b',
        ...(parts.qkNorm ? {} : { qk_normalization: false }),
        ...(parts.qkvBias ? { qkv_bias: true } : {}),
      },
    },
    reference: {
      weights: { weight },
      llama: originalNames,
      sizes: { ...text, eps: 1e-5, ropeTheta: 10000 },
      vision: (weights, pixels) => {
        const sizes = { ...tower, ...parts, imageSize, trainedGrid, eps: 1e-6, state };
        const { embeddings, features } = referenceInternVit(weights, '', pixels, sizes);
        return { embeddings, tower: features, features: referenceMlp(weights, originalMlp, features) };
      },
    },
  };
}

/** A checkpoint of every family and layout, of other sizes than the recorded ones. */
export const heldOutCases: readonly HeldOut[] = [
  llava(),
  llavaHf(),
  mobilevlm(15, 13),
  mobilevlm(8, 14),
  internvl({
    ...{ name: 'larger images', seed: 15, trainedGrid: 5, imageSize: 34 },
    ...{ selectLayer: -3, state: 3, qkNorm: true, qkvBias: false },
  }),
  internvl({
    ...{ name: 'smaller images, last layer, biased attention', seed: 17, trainedGrid: 9, imageSize: 18 },
    ...{ selectLayer: -1, state: 5, qkNorm: false, qkvBias: true },
  }),
];
