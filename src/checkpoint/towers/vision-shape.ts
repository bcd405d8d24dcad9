/** Sizes that every kind of vision tower has, of the part that is used. */
export interface VisionShape {
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly heads: number;
  /** Edge of the images the tower is run on, in pixels. */
  readonly imageSize: number;
  readonly patchSize: number;
  readonly channels: number;
  /** Encoder layers up to the selected one. */
  readonly layers: number;
  /** Tokens of an image, the class token not counted. */
  readonly patches: number;
}

/** Sizes as the configs of vision transformers name them. */
interface VisionConfig {
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly num_channels: number;
  readonly image_size: number;
  readonly patch_size: number;
}

/**
 * Why a tower cannot be used with hidden state `selectLayer`, or `undefined` when it can. States are
 * numbered 0 (encoder input) to the number of layers; negative numbers count from the end.
 */
export function towerMismatch(config: VisionConfig, selectLayer: number): string | undefined {
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
export function visionShape(config: VisionConfig, selectLayer: number): VisionShape {
  return {
    hiddenSize: config.hidden_size,
    intermediateSize: config.intermediate_size,
    heads: config.num_attention_heads,
    imageSize: config.image_size,
    patchSize: config.patch_size,
    channels: config.num_channels,
    layers: stateIndex(config, selectLayer),
    patches: Math.floor(config.image_size / config.patch_size) ** 2,
  };
}

function stateIndex(config: VisionConfig, selectLayer: number): number {
  return selectLayer < 0 ? config.num_hidden_layers + 1 + selectLayer : selectLayer;
}
