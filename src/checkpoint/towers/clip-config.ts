import { z } from 'zod';
import { towerFields } from './tower-fields.js';
import { towerMismatch, type VisionShape, visionShape } from './vision-shape.js';

/** Sizes of the part of a CLIP vision tower that is used. */
export interface ClipShape extends VisionShape {
  readonly layerNormEps: number;
  readonly activation: ClipActivation;
}

const activations = ['quick_gelu', 'gelu'] as const;
type ClipActivation = (typeof activations)[number];

/** Fields of a CLIP vision config. What a file leaves out has the value of transformers' `CLIPVisionConfig`. */
export const clipVisionConfigSchema = z.object({
  model_type: z
    .literal('clip_vision_model', { error: 'only a CLIP vision tower is supported' })
    .default('clip_vision_model'),
  hidden_size: towerFields.width.default(768),
  intermediate_size: towerFields.width.default(3072),
  num_hidden_layers: towerFields.layers.default(12),
  num_attention_heads: towerFields.width.default(12),
  num_channels: towerFields.channels,
  image_size: towerFields.pixels.default(224),
  patch_size: towerFields.pixels.default(32),
  hidden_act: z
    .enum(activations, { error: `only ${activations.join(' and ')} are supported` })
    .default('quick_gelu'),
  layer_norm_eps: z.number().positive().default(1e-5),
});
export type ClipVisionConfig = z.output<typeof clipVisionConfigSchema>;

/** `config.json` of a CLIP folder: of the whole model, which nests the tower's, or of the tower alone. */
export const clipFolderConfigSchema = z.preprocess(
  (config) =>
    config !== null && typeof config === 'object' && 'vision_config' in config
      ? config.vision_config
      : config,
  clipVisionConfigSchema,
);

/** Why a tower cannot be used on images of a size with hidden state `selectLayer`; `undefined` when it can. */
export function clipMismatch(
  config: ClipVisionConfig,
  { selectLayer, imageSize }: { readonly selectLayer: number; readonly imageSize: number },
): string | undefined {
  const mismatch = towerMismatch(config, selectLayer);
  if (mismatch !== undefined || imageSize === config.image_size) return mismatch;
  return `images are ${imageSize} pixels in preprocessor_config.json, but the tower takes ${config.image_size}`;
}

/** The sizes in `lookm`'s own words; layers after the selected hidden state are left out. */
export function clipShape(config: ClipVisionConfig, selectLayer: number): ClipShape {
  return {
    ...visionShape(config, selectLayer),
    layerNormEps: config.layer_norm_eps,
    activation: config.hidden_act,
  };
}
