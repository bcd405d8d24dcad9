import { z } from 'zod';

/** Sizes of the part of a CLIP vision tower that is used. */
export interface ClipShape {
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly heads: number;
  readonly imageSize: number;
  readonly patchSize: number;
  readonly channels: number;
  /** Encoder layers up to the selected one. */
  readonly layers: number;
  readonly tokensPerImage: number;
  readonly layerNormEps: number;
  readonly activation: ClipActivation;
}

const clipActivations = ['quick_gelu', 'gelu'] as const;
export type ClipActivation = (typeof clipActivations)[number];

/** Well above the largest CLIP towers; bounds what a damaged config can make us allocate. */
const maxWidth = 1 << 16;
const maxImageSize = 1 << 13;
const maxLayers = 1024;

const width = z.int().positive().max(maxWidth);

/** Fields of a CLIP vision config. What a file leaves out has the value of transformers' `CLIPVisionConfig`. */
export const clipVisionConfigSchema = z.object({
  model_type: z
    .literal('clip_vision_model', { error: 'only a CLIP vision tower is supported' })
    .default('clip_vision_model'),
  hidden_size: width.default(768),
  intermediate_size: width.default(3072),
  num_hidden_layers: z.int().positive().max(maxLayers).default(12),
  num_attention_heads: width.default(12),
  num_channels: z.literal(3, { error: 'only RGB images are supported' }).default(3),
  image_size: z.int().positive().max(maxImageSize).default(224),
  patch_size: z.int().positive().max(maxImageSize).default(32),
  hidden_act: z
    .enum(clipActivations, { error: `only ${clipActivations.join(' and ')} are supported` })
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

/**
 * Why a tower cannot be used with hidden state `selectLayer`, or `undefined` when it can. States are
 * numbered 0 (encoder input) to the number of layers; negative numbers count from the end.
 */
export function towerMismatch(config: ClipVisionConfig, selectLayer: number): string | undefined {
  const { hidden_size, num_attention_heads, image_size, patch_size, num_hidden_layers } = config;
  if (hidden_size % num_attention_heads !== 0) {
    return `vision hidden_size ${hidden_size} is not a multiple of num_attention_heads ${num_attention_heads}`;
  }
  if (patch_size > image_size) return `patch_size ${patch_size} is larger than image_size ${image_size}`;
  const used = stateIndex(config, selectLayer);
  if (used < 1 || used > num_hidden_layers) {
    return `vision layer ${selectLayer} is not the output of one of the ${num_hidden_layers} layers`;
  }
  return undefined;
}

/** The sizes in `lookm`'s own words; layers after the selected hidden state are left out. */
export function clipShape(config: ClipVisionConfig, selectLayer: number): ClipShape {
  return {
    hiddenSize: config.hidden_size,
    intermediateSize: config.intermediate_size,
    heads: config.num_attention_heads,
    imageSize: config.image_size,
    patchSize: config.patch_size,
    channels: config.num_channels,
    layers: stateIndex(config, selectLayer),
    tokensPerImage: Math.floor(config.image_size / config.patch_size) ** 2,
    layerNormEps: config.layer_norm_eps,
    activation: config.hidden_act,
  };
}

function stateIndex(config: ClipVisionConfig, selectLayer: number): number {
  return selectLayer < 0 ? config.num_hidden_layers + 1 + selectLayer : selectLayer;
}
