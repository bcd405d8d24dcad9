import { copyFile, open, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openTensorFiles } from '../../src/checkpoint/tensor-files.js';
import { UserError } from '../../src/core/errors.js';
import { fixturePath } from '../support/fixture-path.js';
import { dict, int, list, pickled, text } from './pickle-bytes.js';
import { refusalOf } from './refusal-of.js';
import { scratchDirectory } from './scratch-directory.js';
import { tensorCall, torchLegacy } from './write-torch.js';
import { type ZipEnd, type ZipPart, zipFile } from './zip-bytes.js';

const recorded = ['zip.bin', 'legacy.bin', 'nested.bin'] as const;
const float = { key: '0', storageClass: 'FloatStorage', elements: 4, dims: [4], strides: [1] };
const weights = pickled(dict([['w', tensorCall(float)]]));
const data = new Uint8Array(16);

/** The members of a sound archive, by what they are for. */
const sound = {
  pickle: { name: 'a/data.pkl', content: weights },
  storage: { name: 'a/data/0', content: data },
  version: { name: 'a/version', content: Buffer.from('3\n') },
} as const satisfies Record<string, ZipPart>;
const { pickle, storage, version } = sound;

async function refusalIn(content: Uint8Array): Promise<string> {
  const path = join(scratchDirectory(), 'pytorch_model.bin');
  await writeFile(path, content);
  return refusalOf(path);
}

test('the archive that the others differ from is sound', async () => {
  const path = join(scratchDirectory(), 'pytorch_model.bin');
  for (const wide of [true, false]) {
    await writeFile(
      path,
      zipFile(
        Object.values(sound).map((part) => ({ ...part, wide })),
        { wide },
      ),
    );
    const files = await openTensorFiles([path]);
    expect([...(await files.readFloat32('w'))]).toEqual([0, 0, 0, 0]);
    await files.close();
  }
});

const bomb = deflateRawSync(new Uint8Array(2 ** 22));

const archives: [what: string, parts: ZipPart[], says: string][] = [
  [
    'a compressed storage, small in the file and large outside',
    [pickle, { ...storage, content: bomb, method: 8, claimedBytes: 2 ** 22 }],
    'member a/data/0 is compressed (method 8)',
  ],
  [
    'a compressed pickle',
    [{ ...pickle, content: deflateRawSync(weights), method: 8, claimedBytes: weights.length }, storage],
    'member a/data.pkl is compressed (method 8)',
  ],
  [
    'a compressed member that no tensor needs',
    [pickle, storage, { name: 'a/bomb', content: bomb, method: 8, claimedBytes: 2 ** 50, wide: true }],
    'member a/bomb is compressed',
  ],
  ['an encrypted member', [pickle, { ...storage, flags: 1 }], 'member a/data/0 is encrypted'],
  [
    'a member larger than the file',
    [pickle, { ...storage, claimedBytes: 2 ** 40, wide: true }],
    'member a/data/0 claims 1099511627776 bytes, more than there are before what follows it',
  ],
  [
    'a member that reaches into the next',
    [{ ...storage, claimedBytes: 64 }, pickle],
    'member a/data/0 claims 64 bytes, more than there are',
  ],
  ['members in one another', [storage, { ...pickle, claimedOffset: 0 }, version], 'overlaps what follows it'],
  [
    'two members that share their bytes',
    [storage, { ...storage, name: 'a/data/1', content: data, claimedOffset: 0 }, pickle],
    'overlaps what follows it',
  ],
  ['a member beyond the file', [pickle, { ...storage, claimedOffset: 2 ** 31 }], 'member a/data/0 overlaps'],
  ['a member listed twice', [pickle, storage, storage], 'member a/data/0 is there twice'],
  [
    'a member with another name where it lies',
    [pickle, { ...storage, localName: 'a/data/1' }],
    'member a/data/0 is not where the zip directory says',
  ],
  ['no pickle', [storage], 'holds 0 members data.pkl, not one'],
  ['two pickles', [pickle, { ...pickle, name: 'b/data.pkl' }, storage], 'holds 2 members data.pkl, not one'],
  ['a pickle in no folder', [{ ...pickle, name: 'data.pkl' }, storage], 'holds 0 members data.pkl, not one'],
  ['no storage', [pickle], 'storage 0 is not in it'],
  ['a storage of another folder', [pickle, { ...storage, name: 'b/data/0' }], 'storage 0 is not in it'],
  [
    'a storage of another size',
    [pickle, { ...storage, content: new Uint8Array(12) }],
    'storage 0 has 12 bytes instead of 16',
  ],
  [
    'big-endian numbers',
    [pickle, storage, { name: 'a/byteorder', content: Buffer.from('big') }],
    'its numbers are stored in big byte order, only little can be read',
  ],
  [
    'a byte order of 1 MiB',
    [pickle, storage, { name: 'a/byteorder', content: Buffer.alloc(2 ** 20) }],
    'member a/byteorder has 1048576 bytes, more than the allowed 64',
  ],
  [
    'a name that would spoil the message',
    [pickle, storage, { name: 'a/\u001b[31m\n', content: data, method: 12 }],
    'member a/\\u{1b}[31m\\u{a} is compressed (method 12)',
  ],
];

test.each(archives)('%s is refused', async (_, parts, says) => {
  expect(await refusalIn(zipFile(parts))).toContain(says);
});

const ends: [what: string, end: ZipEnd, says: string][] = [
  [
    'a directory of 2^40 bytes',
    { directoryBytes: 2 ** 40 },
    'its zip directory claims 3 members in 1099511627776 bytes, more than the allowed',
  ],
  ['2^40 members', { members: 2 ** 40 }, 'its zip directory claims 1099511627776 members in'],
  ['one member less than it has', { members: 2, wide: false }, 'announces 2 members, but lists 3'],
  ['a directory elsewhere', { directoryOffset: 3 }, 'its zip directory is not where it says'],
  ['a directory beyond the file', { directoryOffset: 2 ** 50 }, 'its zip directory is not where it says'],
  ['a directory that is cut', { directoryBytes: 10, wide: false }, 'its zip directory is not where it says'],
];

test.each(ends)('an archive that claims %s is refused', async (_, end, says) => {
  expect(await refusalIn(zipFile(Object.values(sound), end))).toContain(says);
});

test('bytes after the archive are refused', async () => {
  const content = Buffer.concat([zipFile(Object.values(sound)), Buffer.from('more')]);
  expect(await refusalIn(content)).toContain('does not end with a zip directory');
});

const lie = { elements: 2n ** 62n, data };
const legacy: [what: string, content: Buffer, says: string][] = [
  [
    'a storage of 2^62 elements',
    torchLegacy(weights, { 0: lie }),
    'storage 0 claims 4611686018427387904 bytes',
  ],
  [
    'another count than the pickle',
    torchLegacy(weights, { 0: { elements: 3, data } }),
    'storage 0 has 3 elements',
  ],
  [
    'a storage that no tensor has',
    torchLegacy(weights, { 1: { elements: 4, data } }),
    'lists a storage that no tensor has',
  ],
  ['no storages', torchLegacy(weights), 'storage 0 is not in it'],
  [
    'bytes after the last storage',
    torchLegacy(weights, { 0: { elements: 4, data: new Uint8Array(20) } }),
    '4 bytes at the end belong to no storage',
  ],
  [
    'a storage cut short',
    torchLegacy(weights, { 0: { elements: 4, data: new Uint8Array(12) } }),
    'but the file has only',
  ],
  [
    'another protocol',
    Buffer.concat([
      torchLegacy(weights).subarray(0, 15),
      pickled(int(1000)),
      pickled(dict([])),
      weights,
      pickled(list()),
    ]),
    "is of another version of torch's format",
  ],
  [
    'a text instead of the list of storages',
    Buffer.concat([
      torchLegacy(weights).subarray(0, 15),
      pickled(int(1001)),
      pickled(dict([])),
      weights,
      pickled(text('0')),
    ]),
    'lists no storages',
  ],
  [
    'a storage listed twice',
    Buffer.concat([
      torchLegacy(weights).subarray(0, 15),
      pickled(int(1001)),
      pickled(dict([])),
      weights,
      pickled(list(text('0'), text('0'))),
      Buffer.from('0400000000000000', 'hex'),
      data,
    ]),
    'storage 0 is there twice',
  ],
];

test.each(legacy)('a file of the older format with %s is refused', async (_, content, says) => {
  expect(await refusalIn(content)).toContain(says);
});

test.each([
  ['nothing', ''],
  ['a pointer of Git LFS', 'version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 2\n'],
  ['a page', '<!doctype html>'],
])('%s is not a file of torch', async (_, content) => {
  expect(await refusalIn(Buffer.from(content))).toContain('is not a file that torch.save writes');
});

test.each(recorded)('%s cut anywhere is refused', async (name) => {
  const path = join(scratchDirectory(), name);
  await copyFile(fixturePath(`torch/${name}`), path);
  const { length } = await readFile(path);
  for (let end = length - 1; end >= 0; end -= 13) {
    await truncate(path, end);
    await refusalOf(path);
  }
});

test.each(recorded)('%s with other bytes anywhere is read or refused, and nothing else', async (name) => {
  const path = join(scratchDirectory(), name);
  const content = await readFile(fixturePath(`torch/${name}`));
  const change = fc.tuple(fc.nat(content.length - 1), fc.integer({ min: 0, max: 255 }));
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
      const changed = Buffer.from(content);
      for (const [at, byte] of changes) changed[at] = byte;
      await writeFile(path, changed);
      try {
        const files = await openTensorFiles([path]);
        await files.close();
      } catch (error) {
        expect(error).toBeInstanceOf(UserError);
      }
    }),
    { numRuns: 200 },
  );
});

test('no handle is left open when a file is refused', async () => {
  const path = join(scratchDirectory(), 'pytorch_model.bin');
  await writeFile(path, 'PK\x03\x04');
  const before = await openHandles();
  for (let i = 0; i < 20; i++) await refusalOf(path);
  expect(await openHandles()).toBe(before);
});

/** The number the next opened file gets: it grows when others stay open. */
async function openHandles(): Promise<number> {
  const handle = await open('/dev/null');
  const { fd } = handle;
  await handle.close();
  return fd;
}
