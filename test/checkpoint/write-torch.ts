import { writeFile } from 'node:fs/promises';
import { call, dict, global, int, ints, list, none, persistent, pickled, text } from './pickle-bytes.js';
import type { RawTensor } from './write-safetensors.js';
import { zipFile } from './zip-bytes.js';

const storageClasses: Readonly<Record<string, readonly [name: string, bytes: number]>> = {
  F32: ['FloatStorage', 4],
  F16: ['HalfStorage', 2],
  BF16: ['BFloat16Storage', 2],
  F64: ['DoubleStorage', 8],
  I64: ['LongStorage', 8],
  U8: ['ByteStorage', 1],
};

/** A tensor as a pickle says where it lies. Offset, elements and strides count elements. */
export interface SavedTensor {
  readonly key: string;
  readonly storageClass: string;
  readonly elements: number | bigint;
  readonly offset?: number | bigint;
  readonly dims: readonly (number | bigint)[];
  readonly strides: readonly (number | bigint)[];
  readonly legacy?: boolean;
}

/** The call that makes a tensor. */
export function tensorCall(tensor: SavedTensor): Buffer {
  const { key, storageClass, elements, offset = 0, dims, strides, legacy = false } = tensor;
  const storage = persistent(
    text('storage'),
    global('torch', storageClass),
    text(key),
    text('cpu'),
    int(elements),
    ...(legacy ? [none] : []),
  );
  const hooks = call(global('collections', 'OrderedDict'));
  const noGradient = Buffer.of(0x89);
  const args = [storage, int(offset), ints(dims), ints(strides), noGradient, hooks];
  return call(global('torch._utils', '_rebuild_tensor_v2'), ...args);
}

/** The strides of a tensor that lies row by row. */
export function denseStrides(dims: readonly number[]): number[] {
  return dims.map((_, axis) => dims.slice(axis + 1).reduce((product, dim) => product * dim, 1));
}

/** The content of a file of torch in the zip format: `pickle` and the storages by key. */
export function torchZip(pickle: Uint8Array, storages: Readonly<Record<string, Uint8Array>> = {}): Buffer {
  return zipFile([
    { name: 'archive/data.pkl', content: pickle },
    { name: 'archive/byteorder', content: Buffer.from('little') },
    ...Object.entries(storages).map(([key, content]) => ({ name: `archive/data/${key}`, content })),
    { name: 'archive/version', content: Buffer.from('3\n') },
  ]);
}

/** The content of a file of torch in the format before: `pickle` and the storages by key. */
export function torchLegacy(
  pickle: Uint8Array,
  storages: Readonly<Record<string, { readonly elements: number | bigint; readonly data: Uint8Array }>> = {},
): Buffer {
  const magic = Buffer.from('80028a0a6cfc9c46f9206aa850192e', 'hex');
  const data = Object.values(storages).flatMap((storage) => {
    const count = Buffer.alloc(8);
    count.writeBigUInt64LE(BigInt(storage.elements));
    return [count, storage.data];
  });
  const keys = pickled(list(...Object.keys(storages).map(text)));
  return Buffer.concat([magic, pickled(int(1001)), pickled(dict([])), pickle, keys, ...data]);
}

/** Writes a well-formed file of torch, one storage a tensor. */
export async function writeTorch(
  path: string,
  tensors: ReadonlyMap<string, RawTensor>,
  format: 'zip' | 'legacy' = 'zip',
): Promise<void> {
  const saved = [...tensors].map(([name, { dtype, dims, data }], i) => {
    const [storageClass, bytes] = storageClasses[dtype]!;
    return { name, key: `${i}`, storageClass, elements: data.length / bytes, dims, data };
  });
  const legacy = format === 'legacy';
  const pickle = pickled(
    dict(saved.map((one) => [one.name, tensorCall({ ...one, strides: denseStrides(one.dims), legacy })])),
  );
  const content = legacy
    ? torchLegacy(pickle, Object.fromEntries(saved.map((one) => [one.key, one])))
    : torchZip(pickle, Object.fromEntries(saved.map(({ key, data }) => [key, data])));
  await writeFile(path, content);
}
