import { copyFile, cp, open, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js';
import { openTensorFiles, type TensorFiles } from '../../src/checkpoint/tensor-files.js';
import { blockBytes } from '../../src/checkpoint/tensor-source.js';
import { bytesOf } from '../../src/core/tensor.js';
import { fixturePath } from '../support/fixture-path.js';
import { dict, pickled } from './pickle-bytes.js';
import { rawTensors } from './raw-tensors.js';
import { scratchDirectory } from './scratch-directory.js';
import { syntheticCheckpoint, writeCheckpoint } from './synthetic-checkpoint.js';
import { denseStrides, type SavedTensor, tensorCall, torchZip, writeTorch } from './write-torch.js';
import { zipFile } from './zip-bytes.js';

const recorded = fixturePath('torch');

async function withFiles<T>(paths: readonly string[], use: (files: TensorFiles) => Promise<T>): Promise<T> {
  const files = await openTensorFiles(paths);
  try {
    return await use(files);
  } finally {
    await files.close();
  }
}

/** Type, shape and bytes of tensors. */
async function contents(files: TensorFiles, names: readonly string[]): Promise<Record<string, unknown>> {
  const all: Record<string, unknown> = {};
  for (const name of names) {
    const { dtype, dims, bytes } = files.tensors.get(name)!;
    all[name] = { dtype, dims, data: Buffer.from(await files.readRange(name, 0, bytes)).toString('hex') };
  }
  return all;
}

/** A file whose tensors all lie in one storage of the given bytes. */
async function fileOf(
  storage: { storageClass: string; elements: number; data: Uint8Array },
  tensors: Readonly<Record<string, Pick<SavedTensor, 'dims' | 'strides' | 'offset'>>>,
): Promise<string> {
  const path = join(scratchDirectory(), 'pytorch_model.bin');
  const calls = Object.entries(tensors).map(
    ([name, tensor]) => [name, tensorCall({ key: '0', ...storage, ...tensor })] as const,
  );
  await writeFile(path, torchZip(pickled(dict(calls)), { 0: storage.data }));
  return path;
}

test.each([
  ['the zip format', ['zip.bin']],
  ['the format before it', ['legacy.bin']],
  ['pickle protocol 4', ['protocol-4.bin']],
  ['a state dictionary among other things', ['nested.bin']],
  ['shards', ['pytorch_model-00001-of-00002.bin', 'pytorch_model-00002-of-00002.bin']],
])('%s, as torch writes it, holds what its safetensors twin holds', async (_, names) => {
  await withFiles([join(recorded, 'state.safetensors')], async (twin) => {
    const tensors = [...twin.tensors.keys()];
    expect(tensors).toHaveLength(14);
    const read = await withFiles(
      names.map((name) => join(recorded, name)),
      (files) => contents(files, tensors),
    );
    expect(read).toEqual(await contents(twin, tensors));
  });
});

test('element types and orders that are not read are listed, and refused when they are needed', async () => {
  await withFiles([join(recorded, 'zip.bin')], async (files) => {
    const listed = ['bool', 'double', 'complex', 'long'].map((name) => files.tensors.get(name)?.dtype);
    expect(listed).toEqual(['BOOL', 'F64', 'C64', 'I64']);
    await expect(files.readFloat32('double')).rejects.toThrow(
      'zip.bin: tensor double is F64, only F32, F16, BF16 can be read; save the checkpoint in one of these types',
    );
    expect(files.tensors.get('expanded')?.dims).toEqual([3, 4]);
    await expect(files.readFloat32('expanded')).rejects.toThrow(
      'zip.bin: tensor expanded lies in an order that cannot be read (strides 1, 0); save it again with contiguous()',
    );
  });
});

test('a matrix larger than a block, transposed or with gaps, arrives row by row', async () => {
  const [rows, columns] = [1200, 1500];
  const values = Float32Array.from({ length: rows * columns }, (_, i) => i);
  const storage = { storageClass: 'FloatStorage', elements: values.length, data: bytesOf(values) };
  const path = await fileOf(storage, {
    transposed: { dims: [columns, rows], strides: [1, columns] },
    inner: { dims: [rows - 1, columns - 2], strides: [columns, 1], offset: columns + 1 },
    everyOther: { dims: [rows / 2, columns / 2], strides: [2 * columns, 2] },
    lastColumn: { dims: [rows], strides: [columns], offset: columns - 1 },
  });
  const at = (row: number, column: number) => row * columns + column;
  const expected: Record<string, (row: number, column: number) => number> = {
    transposed: (row, column) => at(column, row),
    inner: (row, column) => at(row + 1, column + 1),
    everyOther: (row, column) => at(2 * row, 2 * column),
    lastColumn: (row) => at(row, columns - 1),
  };
  await withFiles([path], async (files) => {
    for (const [name, value] of Object.entries(expected)) {
      const width = files.tensors.get(name)!.dims[1] ?? 1;
      let [next, wrong] = [0, 0];
      for await (const block of files.floatBlocks(name)) {
        expect(block.byteLength).toBeLessThanOrEqual(blockBytes);
        for (const read of block) {
          if (read !== value(Math.floor(next / width), next % width)) wrong++;
          next++;
        }
      }
      expect([name, next, wrong]).toEqual([name, files.tensors.get(name)!.bytes / 4, 0]);
    }
  });
});

test('axes in an order that is no matrix are refused by name', async () => {
  const data = new Uint8Array(24);
  const path = await fileOf(
    { storageClass: 'ByteStorage', elements: 24, data },
    {
      swapped: { dims: [4, 3, 2], strides: [1, 4, 12] },
      overlapping: { dims: [12, 12], strides: [1, 1] },
    },
  );
  await withFiles([path], async (files) => {
    for (const name of ['swapped', 'overlapping']) {
      await expect(files.readRange(name, 0, 24)).rejects.toThrow(`tensor ${name} lies in an order`);
    }
  });
});

test('members beyond 4 GiB are read by position', async () => {
  const path = join(scratchDirectory(), 'pytorch_model.bin');
  const far = 5 * 2 ** 30;
  const tensor = { key: 'k', storageClass: 'FloatStorage', elements: 2, dims: [2], strides: [1] };
  const parts = [
    { name: 'm/data.pkl', content: pickled(dict([['far', tensorCall(tensor)]])), wide: true },
    { name: 'm/data/k', content: bytesOf(Float32Array.of(1.5, -2)), wide: true },
  ];
  await writeFile(path, 'PK\x03\x04');
  await truncate(path, far);
  const handle = await open(path, 'r+');
  const end = zipFile(parts, {}, far);
  await handle.write(end, 0, end.length, far);
  await handle.close();
  expect([...(await withFiles([path], (files) => files.readFloat32('far')))]).toEqual([1.5, -2]);
});

test('a file that shrinks while it is open is noticed', async () => {
  const path = join(scratchDirectory(), 'pytorch_model.bin');
  await copyFile(join(recorded, 'legacy.bin'), path);
  await withFiles([path], async (files) => {
    await truncate(path, 100);
    await expect(files.readFloat32('transposed')).rejects.toThrow('ends inside tensor transposed');
  });
});

test('the names of torch weights are known, and safetensors are preferred', async () => {
  const dir = await writeCheckpoint(join(scratchDirectory(), 'hf'), syntheticCheckpoint());
  const sources = async (): Promise<string[]> => {
    const checkpoint = await openCheckpoint({ path: dir });
    await checkpoint.close();
    return checkpoint.sourceFiles.map(({ name }) => name).filter((name) => /model/.test(name));
  };
  await writeFile(join(dir, 'pytorch_model.bin'), 'not looked at');
  expect(await sources()).toEqual(['model.safetensors']);
  await writeTorchOf(dir);
  await rm(join(dir, 'model.safetensors'));
  expect(await sources()).toEqual(['pytorch_model.bin']);
});

test('a tower folder may hold torch weights while the checkpoint holds safetensors', async () => {
  const dir = join(scratchDirectory(), 'llava');
  await cp(fixturePath('backbones/llava'), dir, { recursive: true });
  await writeTorchOf(join(dir, 'clip'));
  await rm(join(dir, 'clip', 'model.safetensors'));
  const checkpoint = await openCheckpoint({ path: dir });
  await checkpoint.close();
  expect(checkpoint.sourceFiles.map(({ name }) => name)).toContain('vision/pytorch_model.bin');
});

test('tensors that no part needs may be of any type and in any order', async () => {
  const dir = join(scratchDirectory(), 'llava');
  await cp(fixturePath('backbones/llava'), dir, { recursive: true });
  const tensors = await rawTensors(join(dir, 'model.safetensors'));
  const saved = [...tensors].map(([name, { dims, data }], i) => {
    const storage = { key: `${i}`, storageClass: 'HalfStorage', elements: data.length / 2 };
    return [name, tensorCall({ ...storage, dims, strides: denseStrides(dims) })] as const;
  });
  const odd = { key: 'odd', elements: 2, storageClass: 'ComplexDoubleStorage' };
  const pickle = pickled(
    dict([
      ...saved,
      [
        'model.vision_tower.vision_tower.vision_model.embeddings.position_ids',
        tensorCall({ ...odd, dims: [2], strides: [1] }),
      ],
      [
        'model.layers.0.self_attn.rotary_emb.inv_freq',
        tensorCall({ ...odd, dims: [2, 7, 3], strides: [0, 0, 0] }),
      ],
    ]),
  );
  const data = [...tensors.values()].map((tensor, i) => [`${i}`, tensor.data] as const);
  await writeFile(
    join(dir, 'pytorch_model.bin'),
    torchZip(pickle, { ...Object.fromEntries(data), odd: new Uint8Array(32) }),
  );
  await rm(join(dir, 'model.safetensors'));
  const checkpoint = await openCheckpoint({ path: dir });
  await checkpoint.close();
  expect(checkpoint.sourceFiles.map(({ name }) => name)).toContain('pytorch_model.bin');
});

test('a needed tensor of another type or in an order that is not read is named', async () => {
  const dir = await writeCheckpoint(join(scratchDirectory(), 'hf'), syntheticCheckpoint());
  const tensors = await rawTensors(join(dir, 'model.safetensors'));
  const [double, expanded] = ['lm_head.weight', 'model.language_model.norm.weight'];
  const saved = [...tensors].map(([name, { dims }]) => {
    const storage = { key: '0', storageClass: 'FloatStorage', elements: 10_000 };
    const strides = name === expanded ? [0] : denseStrides(dims);
    return [name, tensorCall({ ...storage, dims, strides })] as const;
  });
  const wide = { key: 'd', storageClass: 'DoubleStorage', elements: 1200, dims: [50, 24], strides: [24, 1] };
  const pickle = pickled(dict([...saved, [double, tensorCall(wide)]]));
  await writeFile(
    join(dir, 'pytorch_model.bin'),
    torchZip(pickle, { 0: new Uint8Array(40_000), d: new Uint8Array(9600) }),
  );
  await rm(join(dir, 'model.safetensors'));
  await expect(openCheckpoint({ path: dir })).rejects.toThrow(
    `2 unusable tensors: ${expanded} lies in an order that cannot be read (strides 0), ${double} is F64, not F32, F16, BF16`,
  );
});

/** Saves a directory's `model.safetensors` as torch does, too. */
async function writeTorchOf(dir: string): Promise<void> {
  await writeTorch(join(dir, 'pytorch_model.bin'), await rawTensors(join(dir, 'model.safetensors')));
}
