import { elementBytes } from '../element-bytes.js';
import { printable } from '../printable.js';
import type { OpenFile } from '../read-fully.js';
import type { TensorEntry } from '../tensor-entry.js';
import { maxPickleBytes } from './pickle-size.js';
import type { PickleValue, StorageValue } from './pickle-values.js';
import { exactUint64, readPart } from './read-part.js';
import { stateDictEntries } from './state-dict.js';
import { damaged } from './torch-fault.js';
import { TorchMeaning } from './torch-meaning.js';
import { unpickle } from './unpickle.js';

/** The pickle of the format's magic number, 0x1950a86a20f9469cfc6c. */
export const legacyStart = Buffer.from('80028a0a6cfc9c46f9206aa850192e', 'hex');

const protocolVersion = 1001;

/** Before each storage: its length in elements. */
const countBytes = 8;

/**
 * The tensors of a file that `torch.save` wrote before 1.6: pickles of a magic number, a protocol version, facts about
 * the machine, the object and the keys of its storages, then the storages in that order. Storages are little-endian
 * whatever the machine was.
 *
 * @throws UserError naming file, name, storage or tensor
 */
export async function readLegacyEntries(file: OpenFile, fileBytes: number): Promise<TensorEntry[]> {
  const { path } = file;
  const bytes = await readPart(file, {
    position: 0,
    bytes: Math.min(fileBytes, maxPickleBytes),
    part: 'its pickle',
  });
  const meaning = new TorchMeaning(path);
  let end = legacyStart.length;
  const next = (): PickleValue => {
    const pickle = unpickle(bytes, { start: end, path, meaning });
    end = pickle.end;
    return pickle.value;
  };
  const [version, , root, keys] = [next(), next(), next(), next()];
  if (version !== protocolVersion) throw damaged(path, `is of another version of torch's format`);
  const offsets = await storageOffsets(file, {
    start: end,
    fileBytes,
    storages: storagesOf(keys, meaning, path),
  });
  return stateDictEntries(root, {
    path,
    offsetOf: ({ key }) => {
      const offset = offsets.get(key);
      if (offset === undefined) throw damaged(path, `storage ${printable(key)} is not in it`);
      return offset;
    },
  });
}

/** The storages in the order of their data. */
function storagesOf(keys: PickleValue, { storages }: TorchMeaning, path: string): StorageValue[] {
  if (typeof keys !== 'object' || keys?.kind !== 'list') throw damaged(path, 'lists no storages');
  return keys.items.map((key) => {
    const storage = typeof key === 'string' ? storages.get(key) : undefined;
    if (storage === undefined) throw damaged(path, 'lists a storage that no tensor has');
    return storage;
  });
}

async function storageOffsets(
  file: OpenFile,
  { start, fileBytes, storages }: { start: number; fileBytes: number; storages: readonly StorageValue[] },
): Promise<ReadonlyMap<string, number>> {
  const { path } = file;
  const offsets = new Map<string, number>();
  let position = start;
  for (const { key, bytes, dtype } of storages) {
    const part = `storage ${printable(key)}`;
    if (offsets.has(key)) throw damaged(path, `${part} is there twice`);
    const count = await readPart(file, { position, bytes: countBytes, part });
    const elements = exactUint64(count, 0, { path, part });
    if (elements * (dtype === undefined ? 1 : elementBytes[dtype]!) !== bytes) {
      throw damaged(path, `${part} has ${elements} elements, which are not ${bytes} bytes`);
    }
    position += countBytes;
    offsets.set(key, position);
    position += bytes;
    if (position > fileBytes)
      throw damaged(path, `${part} ends at byte ${position}, but the file has only ${fileBytes}`);
  }
  if (position !== fileBytes)
    throw damaged(path, `${fileBytes - position} bytes at the end belong to no storage`);
  return offsets;
}
