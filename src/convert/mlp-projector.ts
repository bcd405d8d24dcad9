import type { ProjectorWeights } from '../checkpoint/weight-names.js';
import type { ExternalTensor, GraphBuilder } from '../onnx/graph-builder.js';
import type { StoredMatrix } from '../onnx/stored-matrix.js';
import { biasedLinear } from './biased-linear.js';

/** LLaVA's `mlp2x_gelu`: [1, T, from] -> [1, T, to], two linear layers with an exact (erf) GELU between. */
export function addMlpProjector(
  builder: GraphBuilder,
  tensors: ProjectorWeights<ExternalTensor, StoredMatrix>,
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
