import type { MlpWeights, ProjectorShape } from '../../checkpoint/projectors/mlp2x-gelu.js';
import type { ExternalTensor, GraphBuilder } from '../../onnx/graph-builder.js';
import type { StoredMatrix } from '../../onnx/stored-matrix.js';
import { biasedLinear } from '../linear.js';
import type { ProjectorValues, TowerFeatures } from './projector-values.js';

/** LLaVA's `mlp2x_gelu`, [1, T, from] -> [1, T, to]. */
export function addMlpProjector(
  builder: GraphBuilder,
  _shape: ProjectorShape,
  tensors: MlpWeights<ExternalTensor, StoredMatrix>,
  { features }: TowerFeatures,
): ProjectorValues {
  return { features: addMlp(builder, tensors, features), stages: [] };
}

/** Two linear layers with an exact (erf) GELU between, [1, T, from] -> [1, T, to]. */
export function addMlp(
  builder: GraphBuilder,
  tensors: MlpWeights<ExternalTensor, StoredMatrix>,
  features: string,
): string {
  const inner = biasedLinear(builder, features, 'projector.1', {
    weight: tensors.weight1,
    bias: tensors.bias1,
  });
  return biasedLinear(builder, builder.microsoft('Gelu', [inner]), 'projector.2', {
    weight: tensors.weight2,
    bias: tensors.bias2,
  });
}
