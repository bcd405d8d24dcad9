import type { ClipShape } from '../../checkpoint/towers/clip-config.js';
import type { ClipLayer, ClipWeights } from '../../checkpoint/towers/clip-weights.js';
import type { ExternalTensor, GraphBuilder } from '../../onnx/graph-builder.js';
import type { StoredMatrix } from '../../onnx/stored-matrix.js';
import { biasedLinear } from '../linear.js';
import { dropClassToken, embedPatches } from './patch-embedding.js';
import type { TowerValues } from './tower-values.js';

/** quick_gelu is x * sigmoid(1.702 x). */
const quickGeluAlpha = 1.702;

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
  const { embedding, layers } = tensors;
  const embedded = embedPatches(builder, shape, embedding, pixels);
  const preNorm = { weight: embedding.preNormWeight, bias: embedding.preNormBias };
  const embeddings = layerNorm(builder, shape, embedded, 'vision.preNorm', preNorm);
  let hidden = embeddings;
  for (const [index, layer] of layers.entries()) {
    hidden = encoderLayer(builder, shape, layer, `vision.${index}`, hidden);
  }
  return { embeddings, features: dropClassToken(builder, hidden) };
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
