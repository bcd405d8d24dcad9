import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { UserError } from '../../src/core/errors.js';
import { archiveLimits } from '../../src/hub/archive-limits.js';
import { type Extraction, extractArchive } from '../../src/hub/extract-archive.js';
import { archiveOf, type Member, tarOf } from './archives.js';

interface Place {
  readonly root: string;
  readonly into: string;
}

async function place(): Promise<Place> {
  const root = await mkdtemp(path.join(tmpdir(), 'lookm-extract-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  return { root, into: path.join(root, 'staging') };
}

async function unpack({ root, into }: Place, packed: Buffer, options: Partial<Extraction> = {}) {
  const archive = path.join(root, 'MileBench_part0.tar.gz');
  await writeFile(archive, packed);
  return extractArchive({
    ...{ archive, into, place: (segments) => segments, signal: new AbortController().signal },
    ...options,
  });
}

/** A file with a name. */
function file(name: string, content: Buffer | string = 'x'): Member {
  return { header: { name }, content };
}

test('plain files and folders are written, and counted by top folder', async () => {
  const here = await place();
  const members = [
    { header: { name: 'A/', type: 'directory' } as const },
    file('A/one.txt', 'one'),
    file('./A//deep/two.txt', 'two!'),
    file('B/three.txt', ''),
  ];
  const folders = await unpack(here, await archiveOf(members));
  expect(Object.fromEntries(folders)).toEqual({ A: { files: 2, bytes: 7 }, B: { files: 1, bytes: 0 } });
  expect(await readFile(path.join(here.into, 'A/deep/two.txt'), 'utf8')).toBe('two!');
});

test('members that are placed nowhere are passed over, and others may go elsewhere', async () => {
  const here = await place();
  await unpack(here, await archiveOf([file('A/one'), file('B/two')]), {
    place: ([top, ...rest]) => (top === 'A' ? null : ['C', ...rest]),
  });
  expect(await readdir(here.into)).toEqual(['C']);
});

const long = 'n'.repeat(300);

describe('an archive is refused, and nothing of it is left, for', () => {
  test.each<[string, readonly Member[], RegExp]>([
    ['a path upwards', [file('A/../../evil')], /its path leads upwards/],
    ['an absolute path', [file('/A/evil')], /its path is absolute/],
    ['a drive', [file('C:/evil')], /its path names a drive/],
    ['a backslash', [file('A\\..\\evil')], /its name has a backslash/],
    ['a control character', [file('A/e\nvil')], /its name has a control character/],
    ['a name too long', [file(`A/${long}`)], /is too long a name/],
    ['a symbolic link', [{ header: { name: 'A/l', type: 'symlink', linkname: '../..' } }], /it is a symlink/],
    ['a hard link', [{ header: { name: 'A/l', type: 'link', linkname: 'A/one' } }], /it is a link/],
    [
      'a character device',
      [{ header: { name: 'A/d', type: 'character-device' } }],
      /it is a character-device/,
    ],
    ['a block device', [{ header: { name: 'A/d', type: 'block-device' } }], /it is a block-device/],
    ['a pipe', [{ header: { name: 'A/p', type: 'fifo' } }], /it is a fifo/],
    ['a repeated name', [file('A/one'), file('A/one')], /it repeats "A\/one"/],
    ['names that differ in case only', [file('A/one'), file('A/ONE')], /it repeats "A\/one"/],
    [
      'a folder where a file is',
      [file('A/one'), file('A/one/two')],
      /it makes a folder of the file "A\/one"/,
    ],
  ])('%s', async (_name, members, expected) => {
    const here = await place();
    const refused = unpack(here, await archiveOf([file('A/sound'), ...members]));
    await expect(refused).rejects.toThrow(expected);
    await expect(refused).rejects.toThrow(/^MileBench_part0\.tar\.gz, member .*nothing of it was unpacked/);
    expect(await readdir(here.root)).toEqual(['MileBench_part0.tar.gz']);
  });

  test('a member, a count and a total beyond the limits', async () => {
    const here = await place();
    const packed = await archiveOf([file('A/one', 'four'), file('A/two', 'four'), file('A/three', 'four')]);
    for (const [limits, expected] of [
      [{ mostMemberBytes: 3 }, /it has more than 3 bytes/],
      [{ mostMembers: 2 }, /it is beyond the 2 members that are read/],
      [{ mostBytes: 1000 }, /it unpacks to more than 1000 bytes/],
    ] as const) {
      await expect(unpack(here, packed, { limits: { ...archiveLimits, ...limits } })).rejects.toThrow(
        expected,
      );
    }
  });

  test('an expansion that only bombs have', async () => {
    const here = await place();
    const packed = await archiveOf([file('A/zeros', Buffer.alloc(8 * 2 ** 20))]);
    const limits = { ...archiveLimits, freeBytes: 2 ** 20 };
    await expect(unpack(here, packed, { limits })).rejects.toThrow(/it unpacks to more than \d+ bytes/);
    expect(await readdir(here.root)).toEqual(['MileBench_part0.tar.gz']);
  });

  test('data that is cut, damaged or no gzip at all', async () => {
    const here = await place();
    const packed = await archiveOf([file('A/one', randomBytes(50_000))]);
    const tar = await tarOf([file('A/one', randomBytes(5000))]);
    const damaged = Buffer.from(packed);
    damaged[25_000]! ^= 0xff;
    const cases: readonly [Buffer, RegExp][] = [
      [packed.subarray(0, 30_000), /this archive is damaged/],
      [damaged, /this archive is damaged/],
      [Buffer.from('not gzip'), /this archive is damaged: incorrect header check/],
      [gzipSync(tar.subarray(0, 3000)), /this archive is damaged/],
    ];
    for (const [content, expected] of cases) {
      await expect(unpack(here, content)).rejects.toThrow(expected);
      expect(await readdir(here.root)).toEqual(['MileBench_part0.tar.gz']);
    }
  });
});

test.skipIf(process.platform !== 'linux')(
  'a disk without room ends the extraction with what to do',
  async () => {
    const here = await place();
    const packed = await archiveOf([file('A/one', 'content')]);
    // The device that every write finds full.
    const full = unpack(here, packed, { createFile: () => open('/dev/full', 'w') });
    await expect(full).rejects.toThrow(/: the disk is full; free some space and run the command again/);
    await expect(full).rejects.toBeInstanceOf(UserError);
    expect(await readdir(here.root)).toEqual(['MileBench_part0.tar.gz']);
  },
);

test('a signal ends the extraction and leaves nothing', async () => {
  const here = await place();
  const stopping = new AbortController();
  const packed = await archiveOf([file('A/one', randomBytes(100_000)), file('A/two')]);
  const stopped = unpack(here, packed, {
    signal: stopping.signal,
    place: (segments) => {
      stopping.abort();
      return segments;
    },
  });
  await expect(stopped).rejects.toThrow(/aborted/);
  expect(await readdir(here.root)).toEqual(['MileBench_part0.tar.gz']);
});

test('whatever its members are called, an archive writes nothing outside its directory', async () => {
  const outer = (await place()).root;
  const root = path.join(outer, 'a/b');
  await mkdir(root, { recursive: true });
  const here = { root, into: path.join(root, 'staging') };
  const part = fc.constantFrom('..', '.', '', 'A', 'b.png', 'C:', '~', '\\', ' ', 'é', '%2e%2e', '...');
  const name = fc
    .array(fc.oneof(part, fc.string({ maxLength: 6 })), { minLength: 1, maxLength: 5 })
    .map((parts) => parts.join('/'))
    .filter((own) => own !== '' && !own.includes('\0'));
  const ends = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.array(name, { minLength: 1, maxLength: 4 }), async (names) => {
      const end = await unpack(here, await archiveOf(names.map((own) => file(own)))).then(
        () => 'unpacked',
        (error: unknown) => {
          if (!(error instanceof UserError)) throw error;
          return 'refused';
        },
      );
      ends.add(end);
      const beside = await readdir(outer, { recursive: true });
      expect(beside.filter((entry) => !entry.startsWith('a/b/staging')).sort()).toEqual([
        ...['a', 'a/b', 'a/b/MileBench_part0.tar.gz'],
      ]);
    }),
    { numRuns: 80 },
  );
  // Otherwise it says nothing.
  expect([...ends].sort()).toEqual(['refused', 'unpacked']);
});
