import { type LdpWeights, ldpGrid } from '../../checkpoint/projectors/ldpnetv2.js';
import type { ProjectorShape } from '../../checkpoint/projectors/mlp2x-gelu.js';
import type { ExternalTensor, GraphBuilder } from '../../onnx/graph-builder.js';
import type { StoredMatrix } from '../../onnx/stored-matrix.js';
import { averagingMatrix } from './averaging-matrix.js';
import { addMlp } from './mlp-projector.js';
import type { ProjectorValues, TowerFeatures } from './projector-values.js';

const kernelSize = 3;

/**
 * MobileVLM's LDPNetV2, [1, T, from] -> [1, 144, to]: two linear layers with an exact GELU between; the tokens as a
 * square grid, averaged to 12 x 12; a depthwise convolution added to its own input. Source: MobileVLM's `projector.py`.
 */
export function addLdpProjector(
  builder: GraphBuilder,
  { to, tokens }: ProjectorShape,
  tensors: LdpWeights<ExternalTensor, StoredMatrix>,
  { features, patches }: TowerFeatures,
): ProjectorValues {
  const mlp = addMlp(builder, tensors, features);
  const edge = Math.sqrt(patches);
  const columns = builder.op('Transpose', [mlp], { perm: [0, 2, 1] });
  const grid = builder.op('Reshape', [columns, builder.ints([1, to, edge, edge])]);
  const pooled = poolToGrid(builder, grid, edge);
  const kernelDims = [to, 1, kernelSize, kernelSize];
  const kernel = builder.external('projector.kernel', 'f32', kernelDims, tensors.kernel);
  const bias = builder.external('projector.kernelBias', 'f32', [to], tensors.kernelBias);
  const convolved = builder.op('Conv', [pooled, kernel, bias], {
    kernel_shape: [kernelSize, kernelSize],
    pads: [1, 1, 1, 1],
    group: to,
  });
  const asTokens = (value: string): string => {
    const flat = builder.op('Reshape', [value, builder.ints([1, to, tokens])]);
    return builder.op('Transpose', [flat], { perm: [0, 2, 1] });
  };
  return {
    features: asTokens(builder.op('Add', [convolved, pooled])),
    stages: [
      { name: 'projector_mlp', value: mlp, rows: patches },
      { name: 'projector_pooled', value: asTokens(pooled), rows: tokens },
    ],
  };
}

/** Adaptive average pooling, [1, D, edge, edge] -> [1, D, 12, 12]: columns, then rows. */
function poolToGrid(builder: GraphBuilder, grid: string, edge: number): string {
  const matrix = builder.initializer(
    'projector.pool',
    'f32',
    [edge, ldpGrid],
    averagingMatrix(edge, ldpGrid),
  );
  const columns = builder.op('MatMul', [grid, matrix]);
  return builder.op('MatMul', [builder.op('Transpose', [matrix], { perm: [1, 0] }), columns]);
}
