import type { ClipShape } from '../checkpoint/clip-config.js';
import type { ClipWeights, ProjectorWeights } from '../checkpoint/weight-names.js';
import { type ExternalTensor, GraphBuilder } from '../onnx/graph-builder.js';
import type { StoredMatrix } from '../onnx/stored-matrix.js';
import { addClipTower } from './clip-tower.js';
import { addMlpProjector } from './mlp-projector.js';

/** Where the weights of the vision part lie. */
export interface VisionTensors {
  readonly tower: ClipWeights<ExternalTensor, StoredMatrix>;
  readonly projector: ProjectorWeights<ExternalTensor, StoredMatrix>;
}

/**
 * Tower and projector in one graph, for one image at a time.
 *
 * Input `pixels` [1, 3, S, S]. Outputs `features` [T, D] (projected, ready to join the text's embeddings),
 * `tower` [T, C] (selected layer, class token dropped), `embeddings` [1 + T, C] (input of encoder layer 0).
 */
export function visionGraph(shape: ClipShape, hiddenSize: number, tensors: VisionTensors): Uint8Array {
  const builder = new GraphBuilder();
  const { imageSize, channels, tokensPerImage, hiddenSize: width } = shape;
  const pixels = builder.input('pixels', 'f32', [1, channels, imageSize, imageSize]);
  const tower = addClipTower(builder, shape, tensors.tower, pixels);
  const features = addMlpProjector(builder, tensors.projector, tower.features);
  const output = (name: string, value: string, dims: readonly number[]): void => {
    builder.op('Squeeze', [value, builder.ints([0])], {}, name);
    builder.output(name, 'f32', dims);
  };
  output('features', features, [tokensPerImage, hiddenSize]);
  output('tower', tower.features, [tokensPerImage, width]);
  output('embeddings', tower.embeddings, [1 + tokensPerImage, width]);
  return builder.bytes();
}
