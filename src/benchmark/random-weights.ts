import type { SourceFinder, SourceTensor } from '../checkpoint/find-tensors.js';
import type { TensorSource } from '../checkpoint/tensor-source.js';
import type { Stored, StoreTensors, Tensors } from '../convert/weight-writer.js';
import { RandomBytes } from '../core/random-bytes.js';
import { elementCount } from '../core/tensor.js';
import type { ExternalWeightFile } from '../onnx/external-weights.js';
import type { ExternalTensor } from '../onnx/graph-builder.js';
import { type BlockFormat, quantisedSizes } from '../onnx/quantise-blocks.js';
import type { StoredMatrix } from '../onnx/stored-matrix.js';

/** Formats of matrices that are timed. */
export type TimedFormat = BlockFormat | { readonly dtype: 'fp32' };

/** Largest weight of a matrix. */
const widest = 0.05;

/** Two 4-bit zero points of 8, or one 8-bit one of 136: the middle, nearly. */
const middle = 0x88;

/** A source whose tensors are never read: `randomStore` makes up what is stored. */
const unread: TensorSource = {
  blocks: () => emptyBlocks(),
  floatBlocks: () => emptyBlocks(),
};

async function* emptyBlocks(): AsyncGenerator<never> {}

/** Finds every tensor that is asked for. */
export const anyTensor: SourceFinder = {
  has: () => true,
  plain: (name, dims) => ({ source: unread, name, dtype: 'F32', role: 'plain', dims }),
  matrix: (name, dims) => ({ source: unread, name, dtype: 'F32', role: 'matrix', dims }),
};

/**
 * Stores random weights, all distinct, instead of those of a checkpoint: matrices in a format, at once and not by
 * quantising floats, and anything else as numbers close to one.
 */
export function randomStore(file: ExternalWeightFile, format: TimedFormat): StoreTensors {
  const random = new RandomBytes();
  const one = async (tensor: SourceTensor): Promise<StoredMatrix | ExternalTensor> =>
    tensor.role === 'matrix'
      ? randomMatrix(file, random, tensor.dims, format)
      : file.add(random.floats(elementCount(tensor.dims), 0.9, 1.1));
  return async <T extends Tensors<T>>(tensors: T) => {
    const stored: Record<string, StoredMatrix | ExternalTensor> = {};
    for (const [part, tensor] of Object.entries<SourceTensor>(tensors)) stored[part] = await one(tensor);
    return stored as Stored<T>;
  };
}

/** Appends a random matrix [out, in] to a weight file. */
async function randomMatrix(
  file: ExternalWeightFile,
  random: RandomBytes,
  dims: readonly [number, number],
  format: TimedFormat,
): Promise<StoredMatrix> {
  const [rows, columns] = dims;
  if (!('blockSize' in format)) {
    return { format, dims, values: await file.add(random.floats(rows * columns, -widest, widest)) };
  }
  const sizes = quantisedSizes(format, rows, columns);
  const scale = widest / (format.dtype === 'int4' ? 8 : 128);
  return {
    format,
    dims,
    values: await file.add(random.pieces(sizes.values)),
    scales: await file.add(random.floats(sizes.scales, scale / 2, scale)),
    zeroPoints: await file.add([new Uint8Array(sizes.zeroPoints).fill(middle)]),
  };
}
