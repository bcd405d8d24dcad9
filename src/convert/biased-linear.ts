import type { ExternalTensor, GraphBuilder } from '../onnx/graph-builder.js';

/** A linear layer as it is stored: weight [out, in], bias [out]. */
export interface StoredLinear {
  readonly weight: ExternalTensor;
  readonly bias: ExternalTensor;
  readonly dims: readonly [number, number];
}

/** [1, T, in] -> [1, T, out]. */
export function biasedLinear(
  builder: GraphBuilder,
  value: string,
  name: string,
  linear: StoredLinear,
): string {
  const weight = builder.external(`${name}.weight`, 'f32', linear.dims, linear.weight);
  const bias = builder.external(`${name}.bias`, 'f32', [linear.dims[0]], linear.bias);
  return builder.op('Add', [builder.microsoft('FusedMatMul', [value, weight], { transB: 1 }), bias]);
}
