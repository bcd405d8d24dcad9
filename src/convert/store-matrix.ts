import type { SourceMatrix } from '../checkpoint/find-tensors.js';
import { UserError } from '../core/errors.js';
import { narrowFloat16, widenFloat16 } from '../core/half-floats.js';
import type { ExternalTensor } from '../onnx/graph-builder.js';
import {
  type BlockFormat,
  quantisedSizes,
  quantiseRows,
  type StorageError,
} from '../onnx/quantise-blocks.js';
import type { MatrixFormat, StoredMatrix } from '../onnx/stored-matrix.js';

/** Weights quantised at once, in whole rows: memory depends on the width of a matrix only. */
const weightsAtOnce = 1 << 19;

/** Appends a tensor given in blocks, which may be reused, to a weight file. */
export type AddTensor = (
  blocks: AsyncIterable<ArrayBufferView> | Iterable<ArrayBufferView>,
) => Promise<ExternalTensor>;

/**
 * Stores a matrix in a format while it is read.
 *
 * @throws UserError naming the tensor when it holds a number that the format cannot
 */
export async function storeMatrix(
  add: AddTensor,
  tensor: SourceMatrix,
  format: MatrixFormat,
): Promise<{ matrix: StoredMatrix; error: StorageError }> {
  const { dims } = tensor;
  const floats = tensor.source.floatBlocks(tensor.name);
  const error: StorageError = { squaredError: 0, squaredSum: 0 };
  switch (format.dtype) {
    case 'fp32':
      return { matrix: { format, dims, values: await add(floats) }, error };
    case 'fp16':
      return { matrix: { format, dims, values: await add(halves(floats, tensor, error)) }, error };
    case 'int4':
    case 'int8': {
      const blocks = await storeBlocks(add, tensor, format, error);
      return { matrix: { format, dims, ...blocks }, error };
    }
  }
}

/** Bytes that `storeMatrix` writes. */
export function matrixBytes([rows, columns]: SourceMatrix['dims'], format: MatrixFormat): number {
  if (!('blockSize' in format)) return rows * columns * (format.dtype === 'fp32' ? 4 : 2);
  const { values, scales, zeroPoints } = quantisedSizes(format, rows, columns);
  return values + 4 * scales + zeroPoints;
}

async function* halves(
  blocks: AsyncIterable<Float32Array>,
  tensor: SourceMatrix,
  error: StorageError,
): AsyncGenerator<Uint16Array> {
  let stored = new Uint16Array(0);
  let widened = new Float32Array(0);
  for await (const block of blocks) {
    if (stored.length < block.length) {
      stored = new Uint16Array(block.length);
      widened = new Float32Array(block.length);
    }
    const narrow = stored.subarray(0, block.length);
    const unfit = narrowFloat16(block, narrow);
    if (unfit !== -1) {
      throw new UserError({
        where: tensor.name,
        what: `holds ${block[unfit]}, which float16 cannot (its largest number is 65504)`,
        fix: 'convert with --dtype fp32 or int4',
      });
    }
    widenFloat16(narrow, widened.subarray(0, block.length));
    addDifference(error, block, widened);
    yield narrow;
  }
}

async function storeBlocks(
  add: AddTensor,
  tensor: SourceMatrix,
  format: BlockFormat,
  error: StorageError,
): Promise<Record<'values' | 'scales' | 'zeroPoints', ExternalTensor>> {
  const [rows, columns] = tensor.dims;
  const sizes = quantisedSizes(format, rows, columns);
  const scales = new Float32Array(sizes.scales);
  const zeroPoints = new Uint8Array(sizes.zeroPoints);
  const quantised = async function* (): AsyncGenerator<Uint8Array> {
    let values = new Uint8Array(0);
    const done = { scales: 0, zeroPoints: 0 };
    for await (const weights of wholeRows(tensor.source.floatBlocks(tensor.name), columns)) {
      const part = quantisedSizes(format, weights.length / columns, columns);
      if (values.length < part.values) values = new Uint8Array(part.values);
      const target = {
        values: values.subarray(0, part.values),
        scales: scales.subarray(done.scales, done.scales + part.scales),
        zeroPoints: zeroPoints.subarray(done.zeroPoints, done.zeroPoints + part.zeroPoints),
      };
      const { squaredError, squaredSum } = quantiseRows(weights, columns, format, target);
      error.squaredError += squaredError;
      error.squaredSum += squaredSum;
      if (!Number.isFinite(error.squaredSum)) {
        throw new UserError({
          where: tensor.name,
          what: 'holds numbers that are not finite, so it cannot be quantised',
          fix: 'check the checkpoint; --dtype fp32 keeps them',
        });
      }
      done.scales += part.scales;
      done.zeroPoints += part.zeroPoints;
      yield target.values;
    }
  };
  return {
    values: await add(quantised()),
    scales: await add([scales]),
    zeroPoints: await add([zeroPoints]),
  };
}

/** Cuts a stream of weights into arrays of whole rows. The array is reused. */
async function* wholeRows(
  blocks: AsyncIterable<Float32Array>,
  columns: number,
): AsyncGenerator<Float32Array> {
  const rows = new Float32Array(Math.max(1, Math.floor(weightsAtOnce / columns)) * columns);
  let filled = 0;
  for await (const block of blocks) {
    for (let taken = 0; taken < block.length; ) {
      const count = Math.min(rows.length - filled, block.length - taken);
      rows.set(block.subarray(taken, taken + count), filled);
      filled += count;
      taken += count;
      if (filled < rows.length) continue;
      yield rows;
      filled = 0;
    }
  }
  if (filled > 0) yield rows.subarray(0, filled);
}

/** `stored` may be longer than what was given. */
function addDifference(error: StorageError, given: Float32Array, stored: Float32Array): void {
  for (let i = 0; i < given.length; i++) {
    const difference = stored[i]! - given[i]!;
    error.squaredError += difference * difference;
    error.squaredSum += given[i]! * given[i]!;
  }
}
