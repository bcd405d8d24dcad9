import type { VisionShape } from '../checkpoint/towers/vision-shape.js';
import { GraphBuilder } from '../onnx/graph-builder.js';
import type { AddProjector } from './projectors/registry.js';
import type { AddTower } from './towers/registry.js';

/** The vision part of a model, stored. */
export interface StoredVision {
  readonly addTower: AddTower;
  readonly addProjector: AddProjector;
}

/** Sizes of a vision part from pixels to the language model. */
export interface VisionSizes extends VisionShape {
  /** Width of the language model. */
  readonly textSize: number;
  readonly tokensPerImage: number;
}

/**
 * Tower and projector in one graph, for one image at a time.
 *
 * Input `pixels` [1, 3, S, S]. Outputs `features` [tokens, D] (projected, ready to join the text's embeddings),
 * `tower` [T, C] (selected layer, class token dropped), `embeddings` [1 + T, C] (input of encoder layer 0), and what
 * the projector has on the way, each [rows, D].
 */
export function visionGraph(
  { imageSize, channels, patches, hiddenSize, textSize, tokensPerImage }: VisionSizes,
  { addTower, addProjector }: StoredVision,
): Uint8Array {
  const builder = new GraphBuilder();
  const pixels = builder.input('pixels', 'f32', [1, channels, imageSize, imageSize]);
  const tower = addTower(builder, pixels);
  const projected = addProjector(builder, { features: tower.features, patches });
  const output = (name: string, value: string, dims: readonly number[]): void => {
    builder.op('Squeeze', [value, builder.ints([0])], {}, name);
    builder.output(name, 'f32', dims);
  };
  output('features', projected.features, [tokensPerImage, textSize]);
  output('tower', tower.features, [patches, hiddenSize]);
  output('embeddings', tower.embeddings, [1 + patches, hiddenSize]);
  for (const { name, value, rows } of projected.stages) output(name, value, [rows, textSize]);
  return builder.bytes();
}
