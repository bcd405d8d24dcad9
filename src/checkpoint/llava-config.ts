import { z } from 'zod';
import { clipVisionConfigSchema } from './clip-config.js';
import { llamaConfigSchema } from './llama-config.js';

/** How the config of a checkpoint tells its layout: `llava-hf` nests two configs, `llava` names a tower. */
export const layoutMarksSchema = z.object({
  model_type: z.string().optional(),
  vision_config: z.unknown().optional(),
  text_config: z.unknown().optional(),
  mm_vision_tower: z.unknown().optional(),
});

/** Layer whose hidden state both layouts use unless they say otherwise: the last but one. */
const defaultSelectLayer = -2;

/** `config.json` in the layout of `liuhaotian/llava-v1.5`: Llama fields with LLaVA's among them. */
export const llavaConfigSchema = llamaConfigSchema.extend({
  model_type: z.enum(['llava', 'llava_llama'], {
    error: 'only LLaVA with a Llama language model is supported',
  }),
  mm_projector_type: z.literal('mlp2x_gelu', { error: 'only mlp2x_gelu is supported' }),
  mm_use_im_start_end: z
    .literal(false, { error: 'image start and end tokens are not supported' })
    .default(false),
  mm_use_im_patch_token: z.literal(false, { error: 'image patch tokens are not supported' }).default(false),
  mm_vision_select_layer: z.int().default(defaultSelectLayer),
  mm_vision_select_feature: z.literal('patch', { error: 'only patch is supported' }).default('patch'),
  mm_vision_tower: z.string(),
  /** LLaVA's own code pads for `pad` and centre-crops for `square`. */
  image_aspect_ratio: z.enum(['pad', 'square'], { error: 'only pad and square are supported' }).nullish(),
});

/** The tower `llava-hf` configs leave out when it is CLIP ViT-L/14 at 336 pixels. */
const defaultTower = {
  hidden_size: 1024,
  intermediate_size: 4096,
  num_hidden_layers: 24,
  num_attention_heads: 16,
  image_size: 336,
  patch_size: 14,
};

/** `config.json` in the layout of `llava-hf/llava-1.5`; defaults are those of transformers' `LlavaConfig`. */
export const llavaHfConfigSchema = z.object({
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
