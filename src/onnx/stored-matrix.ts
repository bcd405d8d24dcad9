import type { ExternalTensor, GraphBuilder } from './graph-builder.js';

/** A weight matrix [out, in] as it lies in an external weight file. */
export interface StoredMatrix {
  readonly kind: 'float';
  readonly dtype: 'f32';
  readonly dims: readonly [number, number];
  readonly where: ExternalTensor;
}

/** `value` [.., in] times the transpose of a stored matrix: [.., out]. */
export function addProduct(
  builder: GraphBuilder,
  value: string,
  {
    name,
    matrix,
    output,
  }: { readonly name: string; readonly matrix: StoredMatrix; readonly output?: string },
): string {
  const weight = builder.external(name, matrix.dtype, matrix.dims, matrix.where);
  return builder.microsoft('FusedMatMul', [value, weight], { transB: 1 }, output);
}
