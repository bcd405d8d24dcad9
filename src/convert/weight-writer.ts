import type { SourceMatrix, SourceTensor } from '../checkpoint/find-tensors.js';
import { elementCount } from '../core/tensor.js';
import { ExternalWeightFile, type WrittenFile } from '../onnx/external-weights.js';
import type { ExternalTensor } from '../onnx/graph-builder.js';
import type { MatrixFormat, StoredMatrix } from '../onnx/stored-matrix.js';
import type { StorageLoss } from './storage-loss.js';
import { matrixBytes, storeMatrix } from './store-matrix.js';

/** Hears how many bytes have been written. */
export type OnBytes = (bytes: number) => void;

/** What becomes of tensors that were found in a checkpoint. */
export type Stored<T> = {
  readonly [Part in keyof T]: T[Part] extends SourceMatrix ? StoredMatrix : ExternalTensor;
};

/** Several tensors of a part of the model, by what they are in it. */
export type Tensors<T> = { readonly [Part in keyof T]: SourceTensor };

/** Writes tensors of a part one after another in the order of their keys and says where they lie. */
export type StoreTensors = <T extends Tensors<T>>(tensors: T) => Promise<Stored<T>>;

/** How a part of a model is written. */
export interface PartFormat {
  /** Name of the part in the manifest's summary. */
  readonly part: string;
  /** Format of its matrices; every other tensor is written as float32. */
  readonly format: MatrixFormat;
}

/** Writes the tensors of a model to one file, each matrix in a format, and notes what that cost in accuracy. */
export class WeightWriter {
  readonly #file: ExternalWeightFile;
  readonly #onBytes: OnBytes;
  readonly #losses: StorageLoss[] = [];

  private constructor(file: ExternalWeightFile, onBytes: OnBytes) {
    this.#file = file;
    this.#onBytes = onBytes;
  }

  /** Lets `fill` write a new file `name` in `dir`. */
  static async write<T>(
    dir: string,
    { name, onBytes }: { readonly name: string; readonly onBytes: OnBytes },
    fill: (writer: WeightWriter) => Promise<T>,
  ): Promise<{ tensors: T; file: WrittenFile; losses: readonly StorageLoss[] }> {
    const file = await ExternalWeightFile.create(dir, name);
    const writer = new WeightWriter(file, onBytes);
    try {
      const tensors = await fill(writer);
      return { tensors, file: await file.finish(), losses: writer.#losses };
    } catch (error) {
      await file.abandon();
      throw error;
    }
  }

  /** Writes one tensor given in blocks. */
  add(blocks: AsyncIterable<ArrayBufferView> | Iterable<ArrayBufferView>): Promise<ExternalTensor> {
    return this.#file.add(counted(blocks, this.#onBytes));
  }

  /** Writes tensors one after another in the order of their keys. */
  async addAll<T extends Tensors<T>>(tensors: T, { part, format }: PartFormat): Promise<Stored<T>> {
    const stored: Record<string, StoredMatrix | ExternalTensor> = {};
    for (const [key, tensor] of Object.entries<SourceTensor>(tensors)) {
      if (tensor.role === 'plain') {
        stored[key] = await this.add(tensor.source.floatBlocks(tensor.name));
        continue;
      }
      const { matrix, error } = await storeMatrix((blocks) => this.add(blocks), tensor, format);
      stored[key] = matrix;
      const bytes = matrixBytes(tensor.dims, format);
      this.#losses.push({ part: `${part}.${key}`, tensor: tensor.name, dtype: format.dtype, bytes, error });
    }
    return stored as Stored<T>;
  }
}

/** Bytes that `addAll` writes, not counting the gaps between tensors. */
export function storedBytes<T extends Tensors<T>>(tensors: T, format: MatrixFormat): number {
  return Object.values<SourceTensor>(tensors).reduce(
    (bytes, tensor) =>
      bytes + (tensor.role === 'matrix' ? matrixBytes(tensor.dims, format) : 4 * elementCount(tensor.dims)),
    0,
  );
}

async function* counted<T extends ArrayBufferView>(
  blocks: AsyncIterable<T> | Iterable<T>,
  onBytes: OnBytes,
): AsyncGenerator<T> {
  for await (const block of blocks) {
    yield block;
    onBytes(block.byteLength);
  }
}
