import type { BlockFormat, QuantisedRows } from '../../src/onnx/quantise-blocks.js';

/** What the stored arrays mean, read as the operator's specification says, one weight at a time. */
export function dequantiseBlocks(
  { values, scales, zeroPoints }: QuantisedRows,
  rows: number,
  columns: number,
  { dtype, blockSize }: BlockFormat,
): Float64Array {
  const blocks = Math.ceil(columns / blockSize);
  const packed = dtype === 'int4';
  const at = (bytes: Uint8Array, index: number): number =>
    packed ? (bytes[Math.floor(index / 2)]! >> (index % 2 === 0 ? 0 : 4)) & 15 : bytes[index]!;
  const zerosPerRow = packed ? 2 * Math.ceil(blocks / 2) : blocks;
  return Float64Array.from({ length: rows * columns }, (_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    const block = Math.floor(column / blockSize);
    const value = at(values, (row * blocks + block) * blockSize + (column % blockSize));
    return (value - at(zeroPoints, row * zerosPerRow + block)) * scales[row * blocks + block]!;
  });
}
