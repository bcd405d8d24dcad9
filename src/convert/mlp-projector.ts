import type { ProjectorWeights } from '../checkpoint/weight-names.js';
import type { ExternalTensor, GraphBuilder } from '../onnx/graph-builder.js';
import { biasedLinear } from './biased-linear.js';

/** LLaVA's `mlp2x_gelu`: [1, T, from] -> [1, T, to], two linear layers with an exact (erf) GELU between. */
export function addMlpProjector(
  builder: GraphBuilder,
  tensors: ProjectorWeights<ExternalTensor>,
  features: string,
  { from, to }: { readonly from: number; readonly to: number },
): string {
  const inner = biasedLinear(builder, features, 'projector.1', {
    weight: tensors.weight1,
    bias: tensors.bias1,
    dims: [to, from],
  });
  return biasedLinear(builder, builder.microsoft('Gelu', [inner]), 'projector.2', {
    weight: tensors.weight2,
    bias: tensors.bias2,
    dims: [to, to],
  });
}
