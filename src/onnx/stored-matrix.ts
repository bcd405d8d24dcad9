import type { ExternalTensor, GraphBuilder } from './graph-builder.js';

/** Weights that share a scale and a zero point; ONNX Runtime has fast products for these sizes. */
export const blockSizes = [32, 64, 128] as const;
export type BlockSize = (typeof blockSizes)[number];

/** How the elements of a weight matrix are stored. */
export type MatrixFormat =
  | { readonly dtype: 'fp32' | 'fp16' }
  | { readonly dtype: 'int4' | 'int8'; readonly blockSize: BlockSize };

/** A weight matrix [out, in] in external weight files. */
export type StoredMatrix = StoredFloats | StoredBlocks;

interface StoredFloats {
  readonly format: Exclude<MatrixFormat, { readonly blockSize: number }>;
  readonly dims: readonly [number, number];
  readonly values: ExternalTensor;
}

/**
 * Rows cut into blocks of `blockSize` along `in`, the last one padded; a weight is (value - zero point) * scale.
 * With n blocks a row, `values` is uint8 [out, n, blockSize * bits / 8], the first of two 4-bit values in the low
 * half; `scales` is float32 [out, n]; `zeroPoints` is uint8 [out, ceil(n * bits / 8)], packed in the same order.
 * Source: `MatMulNBits` in ONNX Runtime's ContribOperators.md.
 */
interface StoredBlocks {
  readonly format: Extract<MatrixFormat, { readonly blockSize: number }>;
  readonly dims: readonly [number, number];
  readonly values: ExternalTensor;
  readonly scales: ExternalTensor;
  readonly zeroPoints: ExternalTensor;
}

export const bitsPerValue = { int4: 4, int8: 8 } as const;

/**
 * The product multiplies integers: a row of the left operand is rounded to int8, with one scale a block. Four times
 * as fast in decoding as with float operands, which is level 1.
 */
const int8Accuracy = 4;

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
  const { dims } = matrix;
  if (!('scales' in matrix)) {
    const stored = builder.external(
      name,
      matrix.format.dtype === 'fp32' ? 'f32' : 'f16',
      dims,
      matrix.values,
    );
    const weight = matrix.format.dtype === 'fp32' ? stored : builder.op('Cast', [stored], { to: 1 });
    return builder.microsoft('FusedMatMul', [value, weight], { transB: 1 }, output);
  }
  const [rows, columns] = dims;
  const { blockSize } = matrix.format;
  const bits = bitsPerValue[matrix.format.dtype];
  const blocks = Math.ceil(columns / blockSize);
  const operands = [
    value,
    builder.external(name, 'u8', [rows, blocks, (blockSize * bits) / 8], matrix.values),
    builder.external(`${name}.scales`, 'f32', [rows, blocks], matrix.scales),
    builder.external(`${name}.zeros`, 'u8', [rows, Math.ceil((blocks * bits) / 8)], matrix.zeroPoints),
  ];
  const attributes = { K: columns, N: rows, bits, block_size: blockSize, accuracy_level: int8Accuracy };
  return builder.microsoft('MatMulNBits', operands, attributes, output);
}
