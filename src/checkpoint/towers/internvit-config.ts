import { z } from 'zod';
import { towerFields } from './tower-fields.js';
import { type VisionShape, visionShape } from './vision-shape.js';

/** Sizes of the part of an InternViT tower that is used. */
export interface InternVitShape extends VisionShape {
  readonly rmsNormEps: number;
  /** Edge of the grid of patches that the stored positions are for. */
  readonly trainedGrid: number;
  /** Whether queries and keys are normalised over the whole width before they are split into heads. */
  readonly qkNorm: boolean;
  readonly qkvBias: boolean;
}

/** `config.json` of an InternViT repository. What it leaves out has the value of its own `InternVisionConfig`. */
export const internVitConfigSchema = z.object({
  model_type: z.literal('intern_vit_6b', { error: 'only an InternViT tower is supported' }),
  hidden_size: towerFields.width.default(3200),
  intermediate_size: towerFields.width.default(12800),
  num_hidden_layers: towerFields.layers.default(48),
  num_attention_heads: towerFields.width.default(25),
  num_channels: towerFields.channels,
  image_size: towerFields.pixels.default(224),
  patch_size: towerFields.pixels.default(14),
  hidden_act: z.literal('gelu', { error: 'only gelu is supported' }).default('gelu'),
  norm_type: z.literal('rms_norm', { error: 'only rms_norm is supported' }).default('rms_norm'),
  layer_norm_eps: z.number().positive().default(1e-6),
  qk_normalization: z.boolean().default(true),
  qkv_bias: z.boolean().default(false),
});
export type InternVitConfig = z.output<typeof internVitConfigSchema>;

/**
 * The sizes in `lookm`'s own words of a tower run on images of `imageSize` pixels, which need not be those it was
 * trained on; layers after the selected hidden state are left out.
 */
export function internVitShape(
  config: InternVitConfig,
  { selectLayer, imageSize }: { readonly selectLayer: number; readonly imageSize: number },
): InternVitShape {
  return {
    ...visionShape({ ...config, image_size: imageSize }, selectLayer),
    rmsNormEps: config.layer_norm_eps,
    trainedGrid: Math.floor(config.image_size / config.patch_size),
    qkNorm: config.qk_normalization,
    qkvBias: config.qkv_bias,
  };
}
