import { type FileHandle, open } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { BugError, UserError } from '../core/errors.js';
import { widenBfloat16, widenFloat16 } from '../core/half-floats.js';
import { fileExists } from '../core/json-file.js';
import { readCheckpointJson } from './checkpoint-json.js';
import { headerLength, headerLengthBytes, parseHeader, type TensorEntry } from './safetensors-header.js';

/** Names a checkpoint's weights go by in its directory. */
export const singleFileName = 'model.safetensors';
export const indexFileName = 'model.safetensors.index.json';

/** Element types that can be read as numbers. */
export const floatDtypes = ['F32', 'F16', 'BF16'] as const;
export type FloatDtype = (typeof floatDtypes)[number];

/** Tensors are streamed in blocks of at most this size, so that memory does not grow with the checkpoint. */
export const blockBytes = 4 * 1024 * 1024;

/** A real checkpoint has a few hundred shards at most; bounds the files an index can make us open. */
const maxShards = 10_000;

/** A tensor and the file it lies in. */
export interface StoredTensor extends TensorEntry {
  /** Base name of the file. */
  readonly file: string;
}

const indexSchema = z.object({
  weight_map: z.record(z.string(), z.string().regex(/^[\w-][\w.-]*$/, 'is not a plain file name')),
});

/**
 * Tensors of one or several safetensors files, read by position: no file is ever loaded whole.
 * Close it when done.
 */
export class SafetensorsFiles {
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
    await readFully(file, bytes, tensor.offset + start, name);
    return bytes;
  }

  /**
   * A tensor's data in order, in blocks of `blockBytes` or less. The array is reused: a block is valid
   * only until the next one is asked for.
   */
  async *blocks(name: string): AsyncGenerator<Uint8Array> {
    const { tensor, file } = this.#find(name);
    const buffer = new Uint8Array(Math.min(blockBytes, tensor.bytes));
    for (let done = 0; done < tensor.bytes; done += buffer.length) {
      const block = buffer.subarray(0, Math.min(buffer.length, tensor.bytes - done));
      await readFully(file, block, tensor.offset + done, name);
      yield block;
    }
  }

  /**
   * As `blocks`, widened to float32 without loss.
   * Throws `UserError` when the tensor is of no type in `floatDtypes`.
   */
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

interface OpenFile {
  readonly path: string;
  readonly handle: FileHandle;
}

/** Opens the given files together. Throws `UserError` for damaged files and names found in two of them. */
export async function openSafetensors(paths: readonly string[]): Promise<SafetensorsFiles> {
  const handles = new Map<string, OpenFile>();
  const tensors = new Map<string, StoredTensor>();
  try {
    for (const path of paths) {
      const file = { path, handle: await openFile(path) };
      handles.set(basename(path), file);
      for (const entry of await readHeader(file)) {
        const other = tensors.get(entry.name);
        if (other !== undefined) {
          throw new UserError({
            where: path,
            what: `tensor ${entry.name} is also in ${other.file}`,
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
  return new SafetensorsFiles(tensors, handles);
}

/**
 * Names of the files holding the weights of a checkpoint directory: the index and its shards, or the one
 * weight file. Throws `UserError` when there is neither.
 */
export async function weightFileNames(dir: string): Promise<{ index?: string; weights: string[] }> {
  if (await fileExists(join(dir, singleFileName))) return { weights: [singleFileName] };
  const indexPath = join(dir, indexFileName);
  if (!(await fileExists(indexPath))) {
    throw new UserError({
      where: dir,
      what: `has neither ${singleFileName} nor ${indexFileName}`,
      fix: 'point to a downloaded checkpoint; save torch .bin weights with transformers save_pretrained(safe_serialization=True) first',
    });
  }
  const { weight_map } = await readCheckpointJson(indexPath, indexSchema);
  const weights = [...new Set(Object.values(weight_map))].sort();
  if (weights.length === 0 || weights.length > maxShards) {
    throw new UserError({
      where: indexPath,
      what: `weight_map names ${weights.length} files, expected 1 to ${maxShards}`,
      fix: 'download the index again',
    });
  }
  return { index: indexFileName, weights };
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (cause) {
    throw new UserError({ where: path, what: 'cannot be opened', fix: 'check that it is there' }, { cause });
  }
}

async function readHeader(file: OpenFile): Promise<TensorEntry[]> {
  const { size } = await file.handle.stat();
  if (size < headerLengthBytes) {
    throw new UserError({
      where: file.path,
      what: `has ${size} bytes, which is no safetensors file`,
      fix: 'download it again',
    });
  }
  const prefix = new Uint8Array(headerLengthBytes);
  await readFully(file, prefix, 0);
  const header = new Uint8Array(headerLength(prefix, size, file.path));
  await readFully(file, header, headerLengthBytes);
  return parseHeader(header, size, file.path);
}

async function readFully(
  file: OpenFile,
  target: Uint8Array,
  position: number,
  tensor?: string,
): Promise<void> {
  for (let done = 0; done < target.length; ) {
    const { bytesRead } = await file.handle.read(target, done, target.length - done, position + done);
    if (bytesRead === 0) {
      const what = tensor === undefined ? 'ends inside its header' : `ends inside tensor ${tensor}`;
      throw new UserError({ where: file.path, what, fix: 'download it again' });
    }
    done += bytesRead;
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
