import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../core/errors.js';
import { readCheckpointJson } from '../checkpoint-json.js';
import { imageProcessorConfigSchema } from '../image-processor-config.js';
import { headMismatch, llamaConfigSchema, llamaShape } from '../llama-config.js';
import { embeddingName, findLlama } from '../llama-weights.js';
import { findMlpProjector } from '../projectors/mlp2x-gelu.js';
import { clipMismatch, clipShape, clipVisionConfigSchema } from '../towers/clip-config.js';
import { findClipTower } from '../towers/clip-weights.js';
import { type BackboneFamily, readConfig, refuseMismatch } from './family.js';
import { llava } from './llava.js';
import { defaultSelectLayer } from './original-layout.js';

const { supported } = llava;

/** The tower that configs leave out when it is CLIP ViT-L/14 at 336 pixels. */
const defaultTower = {
  hidden_size: 1024,
  intermediate_size: 4096,
  num_hidden_layers: 24,
  num_attention_heads: 16,
  image_size: 336,
  patch_size: 14,
};

/** Defaults are those of transformers' `LlavaConfig`. */
const configSchema = z.object({
  model_type: z.literal('llava', { error: 'only llava is supported' }),
  text_config: llamaConfigSchema
    .extend({
      model_type: z.literal('llama', { error: 'only a Llama language model is supported' }).default('llama'),
    })
    .prefault({}),
  vision_config: clipVisionConfigSchema.prefault(defaultTower),
  projector_hidden_act: z.literal('gelu', { error: 'only gelu is supported' }).default('gelu'),
  multimodal_projector_bias: z
    .literal(true, { error: 'a projector without biases is not supported' })
    .default(true),
  vision_feature_layer: z.int({ error: 'must be one layer number' }).default(defaultSelectLayer),
  vision_feature_select_strategy: z
    .literal('default', { error: 'only default is supported' })
    .default('default'),
  tie_word_embeddings: z.boolean().optional(),
});

/** Tensor names as published, and as newer transformers save them. */
const namings = [
  {
    text: { prefix: 'language_model.model.', head: 'language_model.lm_head.weight' },
    tower: 'vision_tower.vision_model.',
    projector: 'multi_modal_projector.',
  },
  {
    text: { prefix: 'model.language_model.', head: 'lm_head.weight' },
    tower: 'model.vision_tower.vision_model.',
    projector: 'model.multi_modal_projector.',
  },
] as const;

/** `llava-hf/llava-1.5`: configs and weights of all parts in one checkpoint. */
export const llavaHf: BackboneFamily = {
  family: llava.family,
  layout: 'llava-hf',
  template: llava.template,
  supported,
  towerRepository: null,
  recognises: ({ text_config, vision_config }) => text_config !== undefined || vision_config !== undefined,
  async read(place) {
    if (place.vision !== undefined) {
      throw new UserError({
        where: place.path,
        what: 'holds its own vision tower, so another one cannot be given',
        fix: 'leave out --vision',
      });
    }
    const config = await readConfig(place, configSchema, supported);
    const { text_config: llama, vision_config: clip, vision_feature_layer: selectLayer } = config;
    const processor = {
      path: join(place.path, 'preprocessor_config.json'),
      name: 'preprocessor_config.json',
    };
    const image = await readCheckpointJson(processor.path, imageProcessorConfigSchema, supported);
    const mismatch = clipMismatch(clip, { selectLayer, imageSize: image.size });
    refuseMismatch(place, [headMismatch(llama), mismatch], supported);
    const tied = llama.tie_word_embeddings ?? config.tie_word_embeddings ?? false;
    const text = { shape: llamaShape(llama), tied };
    const vision = clipShape(clip, selectLayer);
    const projector = { from: vision.hiddenSize, to: text.shape.hiddenSize, tokens: vision.patches };
    return {
      text: llama,
      image,
      aspect: undefined,
      towerWeights: undefined,
      sourceFiles: [processor],
      find: ({ model }) => {
        const names = namings.find((naming) => model.has(embeddingName(naming.text))) ?? namings[0];
        const [first, second] = [`${names.projector}linear_1.`, `${names.projector}linear_2.`] as const;
        return {
          text: findLlama(model, names.text, text),
          tower: findClipTower(model, names.tower, vision),
          projector: findMlpProjector(model, { first, second }, projector),
        };
      },
    };
  },
};
