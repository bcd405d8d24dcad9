import type { ClipShape } from '../checkpoint/clip-config.js';
import type { ClipLayer, ClipWeights } from '../checkpoint/weight-names.js';
import type { ExternalTensor, GraphBuilder } from '../onnx/graph-builder.js';
import type { StoredMatrix } from '../onnx/stored-matrix.js';
import { biasedLinear } from './biased-linear.js';

/** quick_gelu is x * sigmoid(1.702 x). */
const quickGeluAlpha = 1.702;

/** Larger than any sequence: the end of a slice that runs to the end. */
const toTheEnd = 2 ** 31 - 1;

/** The values of a tower in a graph. */
export interface TowerValues {
  /** Input of encoder layer 0, [1, 1 + T, C]. */
  readonly embeddings: string;
  /** Selected hidden state without the class token, [1, T, C]. */
  readonly features: string;
}

/**
 * A CLIP vision transformer on one image, [1, 3, S, S] -> [1, T, C], up to the selected hidden state.
 * Source: transformers' `modeling_clip.py`: class token first, learned positions, pre-norm blocks.
 */
export function addClipTower(
  builder: GraphBuilder,
  shape: ClipShape,
  tensors: ClipWeights<ExternalTensor, StoredMatrix>,
  pixels: string,
): TowerValues {
  const embeddings = embed(builder, shape, tensors.embedding, pixels);
  let hidden = embeddings;
  for (const [index, layer] of tensors.layers.entries()) {
    hidden = encoderLayer(builder, shape, layer, `vision.${index}`, hidden);
  }
  const features = builder.op('Slice', [
    hidden,
    builder.ints([1]),
    builder.ints([toTheEnd]),
    builder.ints([1]),
  ]);
  return { embeddings, features };
}

function embed(
  builder: GraphBuilder,
  shape: ClipShape,
  tensors: ClipWeights<ExternalTensor, StoredMatrix>['embedding'],
  pixels: string,
): string {
  const { hiddenSize, channels, patchSize, tokensPerImage } = shape;
  const kernel = [hiddenSize, channels, patchSize, patchSize];
  const patches = builder.op(
    'Conv',
    [pixels, builder.external('vision.patch', 'f32', kernel, tensors.patch)],
    { kernel_shape: [patchSize, patchSize], strides: [patchSize, patchSize] },
  );
  const flat = builder.op('Reshape', [patches, builder.ints([1, hiddenSize, tokensPerImage])]);
  const tokens = builder.op('Transpose', [flat], { perm: [0, 2, 1] });
  const classToken = builder.external('vision.class', 'f32', [1, 1, hiddenSize], tensors.classEmbedding);
  const sequence = builder.op('Concat', [classToken, tokens], { axis: 1 });
  const positions = builder.external(
    'vision.positions',
    'f32',
    [1, 1 + tokensPerImage, hiddenSize],
    tensors.positions,
  );
  return layerNorm(builder, shape, builder.op('Add', [sequence, positions]), 'vision.preNorm', {
    weight: tensors.preNormWeight,
    bias: tensors.preNormBias,
  });
}

function encoderLayer(
  builder: GraphBuilder,
  shape: ClipShape,
  layer: ClipLayer<ExternalTensor, StoredMatrix>,
  name: string,
  hidden: string,
): string {
  const norm1 = { weight: layer.norm1Weight, bias: layer.norm1Bias };
  const input = layerNorm(builder, shape, hidden, `${name}.norm1`, norm1);
  const project = (part: 'q' | 'k' | 'v'): string =>
    biasedLinear(builder, input, `${name}.${part}`, {
      weight: layer[`${part}Weight`],
      bias: layer[`${part}Bias`],
    });
  const attention = builder.microsoft('MultiHeadAttention', [project('q'), project('k'), project('v')], {
    num_heads: shape.heads,
  });
  const projected = biasedLinear(builder, attention, `${name}.out`, {
    weight: layer.outWeight,
    bias: layer.outBias,
  });
  const attended = builder.op('Add', [hidden, projected]);
  const norm2 = { weight: layer.norm2Weight, bias: layer.norm2Bias };
  const inner = biasedLinear(
    builder,
    layerNorm(builder, shape, attended, `${name}.norm2`, norm2),
    `${name}.fc1`,
    { weight: layer.fc1Weight, bias: layer.fc1Bias },
  );
  const activated =
    shape.activation === 'gelu'
      ? builder.microsoft('Gelu', [inner])
      : builder.microsoft('QuickGelu', [inner], { alpha: { float: quickGeluAlpha } });
  const outer = biasedLinear(builder, activated, `${name}.fc2`, {
    weight: layer.fc2Weight,
    bias: layer.fc2Bias,
  });
  return builder.op('Add', [attended, outer]);
}

function layerNorm(
  builder: GraphBuilder,
  shape: ClipShape,
  value: string,
  name: string,
  { weight, bias }: { readonly weight: ExternalTensor; readonly bias: ExternalTensor },
): string {
  const dims = [shape.hiddenSize];
  return builder.op(
    'LayerNormalization',
    [
      value,
      builder.external(`${name}.weight`, 'f32', dims, weight),
      builder.external(`${name}.bias`, 'f32', dims, bias),
    ],
    { axis: -1, epsilon: { float: shape.layerNormEps } },
  );
}
