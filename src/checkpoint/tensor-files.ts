import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import { BugError, UserError } from '../core/errors.js';
import { widenBfloat16, widenFloat16 } from '../core/half-floats.js';
import { elementCount } from '../core/tensor.js';
import { readMatrix } from './matrix-bytes.js';
import { printable } from './printable.js';
import { type OpenFile, readFully } from './read-fully.js';
import { readSafetensorsEntries } from './safetensors-entries.js';
import type { TensorEntry } from './tensor-entry.js';
import { scatteredFault } from './tensor-layout.js';
import { blockBytes, floatDtypes, type TensorSource } from './tensor-source.js';
import { readTorchEntries } from './torch/torch-entries.js';

/** A tensor and the file it lies in. */
export interface StoredTensor extends TensorEntry {
  /** Base name of the file. */
  readonly file: string;
}

/**
 * Tensors of one or several weight files, read by position: no file is ever loaded whole.
 * Close it when done.
 */
export class TensorFiles implements TensorSource {
  /** By name. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly #handles: ReadonlyMap<string, OpenFile>;

  constructor(tensors: ReadonlyMap<string, StoredTensor>, handles: ReadonlyMap<string, OpenFile>) {
    this.tensors = tensors;
    this.#handles = handles;
  }

  /** Bytes `start` to `end` (exclusive) of a tensor's data. Throws `UserError` when the file has shrunk. */
  async readRange(name: string, start: number, end: number): Promise<Uint8Array> {
    const { tensor, file } = this.#find(name);
    if (!(0 <= start && start <= end && end <= tensor.bytes)) {
      throw new BugError({ what: `bytes ${start} to ${end} are not within tensor ${name}` });
    }
    const bytes = new Uint8Array(end - start);
    await readData(file, bytes, tensor, start);
    return bytes;
  }

  /** Throws `UserError` when the file has shrunk. */
  async *blocks(name: string): AsyncGenerator<Uint8Array> {
    const { tensor, file } = this.#find(name);
    const buffer = new Uint8Array(Math.min(blockBytes, tensor.bytes));
    for (let done = 0; done < tensor.bytes; done += buffer.length) {
      const block = buffer.subarray(0, Math.min(buffer.length, tensor.bytes - done));
      await readData(file, block, tensor, done);
      yield block;
    }
  }

  async *floatBlocks(name: string): AsyncGenerator<Float32Array> {
    const { tensor, file } = this.#find(name);
    const widen = widening(tensor, file.path);
    for await (const block of this.blocks(name)) yield widen(block);
  }

  /** A whole tensor as float32; for small ones. Throws as `floatBlocks`. */
  async readFloat32(name: string): Promise<Float32Array> {
    const { tensor } = this.#find(name);
    const floats = new Float32Array(tensor.bytes / (tensor.dtype === 'F32' ? 4 : 2));
    let done = 0;
    for await (const block of this.floatBlocks(name)) {
      floats.set(block, done);
      done += block.length;
    }
    return floats;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#handles.values()].map(({ handle }) => handle.close()));
  }

  #find(name: string): { tensor: StoredTensor; file: OpenFile } {
    const tensor = this.tensors.get(name);
    const file = tensor && this.#handles.get(tensor.file);
    if (tensor === undefined || file === undefined) throw new BugError({ what: `no tensor named ${name}` });
    return { tensor, file };
  }
}

/** Opens the given files together. Throws `UserError` for damaged files and names found in two of them. */
export async function openTensorFiles(paths: readonly string[]): Promise<TensorFiles> {
  const handles = new Map<string, OpenFile>();
  const tensors = new Map<string, StoredTensor>();
  try {
    for (const path of paths) {
      const file = { path, handle: await openFile(path) };
      handles.set(basename(path), file);
      for (const entry of await readEntries(file)) {
        const other = tensors.get(entry.name);
        if (other !== undefined) {
          throw new UserError({
            where: path,
            what: `tensor ${printable(entry.name)} is also in ${other.file}`,
            fix: 'remove the file that does not belong to the checkpoint',
          });
        }
        tensors.set(entry.name, { ...entry, file: basename(path) });
      }
    }
  } catch (error) {
    await Promise.all([...handles.values()].map(({ handle }) => handle.close()));
    throw error;
  }
  return new TensorFiles(tensors, handles);
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (cause) {
    throw new UserError({ where: path, what: 'cannot be opened', fix: 'check that it is there' }, { cause });
  }
}

/** The name says what a file is: `.safetensors`, or else torch's own format. */
function readEntries(file: OpenFile): Promise<TensorEntry[]> {
  return file.path.endsWith('.safetensors') ? readSafetensorsEntries(file) : readTorchEntries(file);
}

/** Fills `target` with a tensor's data from byte `start` on, row-major however they lie in the file. */
function readData(file: OpenFile, target: Uint8Array, tensor: StoredTensor, start: number): Promise<void> {
  const { layout, offset } = tensor;
  const part = `tensor ${tensor.name}`;
  switch (layout.kind) {
    case 'dense':
      return readFully(file, target, { position: offset + start, part });
    case 'matrix': {
      const matrix = { part, offset, elementBytes: tensor.bytes / elementCount(tensor.dims), layout };
      return readMatrix(file, target, { start, matrix });
    }
    case 'scattered':
      throw new UserError({
        where: file.path,
        what: `${part} ${scatteredFault(layout)}`,
        fix: 'save it again with contiguous()',
      });
  }
}

function widening(tensor: StoredTensor, path: string): (block: Uint8Array) => Float32Array {
  const { dtype } = tensor;
  if (dtype === 'F32')
    return (block) => new Float32Array(block.buffer, block.byteOffset, block.byteLength / 4);
  if (dtype !== 'F16' && dtype !== 'BF16') {
    throw new UserError({
      where: path,
      what: `tensor ${tensor.name} is ${dtype}, only ${floatDtypes.join(', ')} can be read`,
      fix: 'save the checkpoint in one of these types',
    });
  }
  const widen = dtype === 'F16' ? widenFloat16 : widenBfloat16;
  const target = new Float32Array(Math.min(blockBytes, tensor.bytes) / 2);
  return (block) => {
    const halves = new Uint16Array(block.buffer, block.byteOffset, block.byteLength / 2);
    const floats = target.subarray(0, halves.length);
    widen(halves, floats);
    return floats;
  };
}
