import type { ExternalTensor, GraphBuilder } from '../onnx/graph-builder.js';
import { addProduct, type StoredMatrix } from '../onnx/stored-matrix.js';

/** A linear layer as it is stored: weight [out, in], bias [out]. */
export interface StoredLinear {
  readonly weight: StoredMatrix;
  readonly bias: ExternalTensor;
}

/** [1, T, in] -> [1, T, out]. */
export function biasedLinear(
  builder: GraphBuilder,
  value: string,
  name: string,
  { weight, bias }: StoredLinear,
): string {
  const product = linear(builder, value, name, weight);
  return builder.op('Add', [product, builder.external(`${name}.bias`, 'f32', [weight.dims[0]], bias)]);
}

/** The same without a bias. */
export function linear(builder: GraphBuilder, value: string, name: string, weight: StoredMatrix): string {
  return addProduct(builder, value, { name: `${name}.weight`, matrix: weight });
}
