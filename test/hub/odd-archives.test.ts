import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { extractArchive } from '../../src/hub/extract-archive.js';
import { type Member, tarOf } from './archives.js';

const archiveName = 'odd.tar.gz';
const blockBytes = 512;
const endMarkBytes = 2 * blockBytes;

async function unpack(packed: Buffer) {
  const root = await mkdtemp(path.join(tmpdir(), 'lookm-odd-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const archive = path.join(root, archiveName);
  await writeFile(archive, packed);
  const into = path.join(root, 'staging');
  const unpacked = extractArchive({
    ...{ archive, into, place: (segments) => segments, signal: new AbortController().signal },
  });
  return { root, into, unpacked };
}

async function expectRefused(packed: Buffer, expected: RegExp): Promise<void> {
  const { root, unpacked } = await unpack(packed);
  await expect(unpacked).rejects.toThrow(expected);
  await expect(unpacked).rejects.toThrow(/^odd\.tar\.gz.*; nothing of it was unpacked; check --endpoint/);
  expect(await readdir(root)).toEqual([archiveName]);
}

function file(name: string, content: Buffer | string = 'x'): Member {
  return { header: { name }, content };
}

/** The first header of a tar archive with some bytes changed and the checksum made right. */
function patched(tar: Buffer, changes: Readonly<Record<number, string>>): Buffer {
  const copy = Buffer.from(tar);
  for (const [at, text] of Object.entries(changes)) copy.write(text, Number(at), 'latin1');
  copy.write(' '.repeat(8), 148);
  const sum = copy.subarray(0, blockBytes).reduce((total, byte) => total + byte, 0);
  copy.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return copy;
}

/** Places in a tar header. */
const sizeAt = 124;
const typeAt = 156;

describe('an archive is refused for', () => {
  test('a sparse file of GNU tar, in both forms', async () => {
    await expectRefused(
      gzipSync(patched(await tarOf([file('A/one')]), { [typeAt]: 'S' })),
      /member "A\/one": .*it is a member of unknown type/,
    );
    const pax = { 'GNU.sparse.major': '1', 'GNU.sparse.name': 'A/one' };
    await expectRefused(gzipSync(await tarOf([{ header: { name: 'A/one', pax } }])), /it is a sparse file/);
  });

  test('a folder with content, which tools read in different ways', async () => {
    const folder = await tarOf([{ header: { name: 'A/', type: 'directory' } }, file('A/one')]);
    await expectRefused(
      gzipSync(patched(folder, { [sizeAt]: '00000001000\0' })),
      /it is a folder with content/,
    );
  });

  test('a size that no file has', async () => {
    const tar = await tarOf([file('A/one')]);
    await expectRefused(gzipSync(patched(tar, { [sizeAt]: '77777777777\0' })), /more than 268435456 bytes/);
    const negative = '\xff'.repeat(12);
    await expectRefused(gzipSync(patched(tar, { [sizeAt]: negative })), /this archive is damaged/);
  });

  test('a name that the extended header makes longer or leads upwards with', async () => {
    await expectRefused(gzipSync(await tarOf([file(`A/${'d/'.repeat(600)}x`)])), /longer than 1024 bytes/);
    const pax = { path: '../evil' };
    await expectRefused(gzipSync(await tarOf([{ header: { name: 'A/one', pax } }])), /leads upwards/);
  });

  test('folders whose names differ in case or composition only', async () => {
    await expectRefused(
      gzipSync(await tarOf([file('A/images/one'), file('A/Images/two')])),
      /its folder differs from "A\/images" in case only/,
    );
    await expectRefused(
      gzipSync(await tarOf([file('A/\u00e9'), file('A/e\u0301')])),
      /it repeats "A\/\u00e9"/,
    );
  });

  test('an end without its mark, where a member could be missing', async () => {
    const tar = await tarOf([file('A/one'), file('A/two')]);
    const expected = /it stops before its end mark/;
    await expectRefused(gzipSync(tar.subarray(0, tar.length - endMarkBytes)), expected);
    // The second member is gone as well.
    await expectRefused(gzipSync(tar.subarray(0, 2 * blockBytes)), expected);
    await expectRefused(gzipSync(Buffer.alloc(0)), expected);
  });

  test('nothing at all, and for a header that is damaged', async () => {
    await expectRefused(Buffer.alloc(0), /unexpected end of file/);
    const tar = await tarOf([file('A/one')]);
    tar[0] = 0x42;
    await expectRefused(gzipSync(tar), /Invalid tar header/);
  });

  test.each<[string, Buffer]>([
    ['a few bytes', Buffer.from('more')],
    ['a few zeros', Buffer.alloc(4)],
    ['many zeros', Buffer.alloc(500_000)],
  ])('%s behind the end of the compressed data', async (_name, more) => {
    const packed = gzipSync(await tarOf([file('A/one', randomBytes(1000))]));
    await expectRefused(Buffer.concat([packed, more]), /damaged: (there are bytes behind|incorrect header)/);
  });

  test('bytes behind the end of the archive inside the compressed data', async () => {
    const tar = await tarOf([file('A/one')]);
    await expectRefused(
      gzipSync(Buffer.concat([tar, Buffer.alloc(blockBytes, 7)])),
      /this archive is damaged/,
    );
  });
});

test('long names, names beyond ASCII and members of a second gzip stream are read', async () => {
  const name = `A/${'long'.repeat(40)}/Zürich 東京.png`;
  const tar = await tarOf([file(name, 'picture'), file('A/two', '2')]);
  const half = 3 * blockBytes;
  const packed = Buffer.concat([gzipSync(tar.subarray(0, half)), gzipSync(tar.subarray(half))]);
  const { into, unpacked } = await unpack(packed);
  expect(Object.fromEntries(await unpacked)).toEqual({ A: { files: 2, bytes: 8 } });
  expect(await readFile(path.join(into, name), 'utf8')).toBe('picture');
});
