import type { VisionShape } from '../../checkpoint/towers/vision-shape.js';
import type { ExternalTensor, GraphBuilder } from '../../onnx/graph-builder.js';

/** Larger than any sequence: the end of a slice that runs to the end. */
const toTheEnd = 2 ** 31 - 1;

/** What turns an image into the input of a vision transformer. */
interface PatchTensors {
  /** Convolution kernel, [C, 3, P, P]. */
  readonly patch: ExternalTensor;
  readonly patchBias?: ExternalTensor | undefined;
  readonly classEmbedding: ExternalTensor;
  /** [1 + T, C] */
  readonly positions: ExternalTensor;
}

/** Pixels [1, 3, S, S] -> [1, 1 + T, C]: class token, then patches row by row, each with its position added. */
export function embedPatches(
  builder: GraphBuilder,
  shape: VisionShape,
  tensors: PatchTensors,
  pixels: string,
): string {
  const { hiddenSize, channels, patchSize, patches } = shape;
  const kernel = [hiddenSize, channels, patchSize, patchSize];
  const inputs = [pixels, builder.external('vision.patch', 'f32', kernel, tensors.patch)];
  if (tensors.patchBias !== undefined) {
    inputs.push(builder.external('vision.patchBias', 'f32', [hiddenSize], tensors.patchBias));
  }
  const grid = builder.op('Conv', inputs, {
    kernel_shape: [patchSize, patchSize],
    strides: [patchSize, patchSize],
  });
  const flat = builder.op('Reshape', [grid, builder.ints([1, hiddenSize, patches])]);
  const tokens = builder.op('Transpose', [flat], { perm: [0, 2, 1] });
  const classToken = builder.external('vision.class', 'f32', [1, 1, hiddenSize], tensors.classEmbedding);
  const sequence = builder.op('Concat', [classToken, tokens], { axis: 1 });
  const table = [1, 1 + patches, hiddenSize];
  return builder.op('Add', [sequence, builder.external('vision.positions', 'f32', table, tensors.positions)]);
}

/** [1, 1 + T, C] -> [1, T, C]. */
export function dropClassToken(builder: GraphBuilder, sequence: string): string {
  return builder.op('Slice', [sequence, builder.ints([1]), builder.ints([toTheEnd]), builder.ints([1])]);
}
