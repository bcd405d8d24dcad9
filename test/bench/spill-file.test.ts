import { readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { freeDiskBytes, openSpillFile } from '../../src/bench/spill-file.js';
import { scratch } from './fake-run.js';

describe('the temporary file of caches', () => {
  it('gives back what was written, in any order and after it was cleared', async () => {
    const file = await openSpillFile(await scratch());
    const arrays = [3, 1, 1000].map((length) => Float32Array.from({ length }, (_, i) => length + i / 7));
    for (let round = 0; round < 2; round++) {
      const offsets: number[] = [];
      for (const array of arrays) offsets.push(await file.append(array));
      expect(offsets[0]).toBe(0);
      for (const index of [2, 0, 1]) {
        const read = new Float32Array(arrays[index]!.length);
        await file.read(offsets[index]!, read);
        expect(read).toEqual(arrays[index]);
      }
      await file.clear();
    }
    expect(file.moved.bytes).toBe(2 * 2 * 4 * 1004);
    await file.close();
  });

  it.skipIf(process.platform === 'win32')(
    'has no name while it is open, so nothing is left of it',
    async () => {
      const directory = await scratch();
      const file = await openSpillFile(directory);
      await file.append(new Float32Array(10));
      expect(await readdir(directory)).toEqual([]);
      await file.close();
      expect(await readdir(directory)).toEqual([]);
    },
  );

  it('that cannot be made is reported with its place and what to do', async () => {
    const file = path.join(await scratch(), 'occupied');
    await writeFile(file, '');
    const directory = path.join(file, 'spill');
    await expect(openSpillFile(directory)).rejects.toThrow(/occupied.*\$LOOKM_CACHE/);
    await rm(file);
    expect(await freeDiskBytes(directory)).toBeGreaterThan(0);
    await (await openSpillFile(directory)).close();
  });

  it('has no room where its directory cannot be made', async () => {
    const file = path.join(await scratch(), 'file');
    await writeFile(file, '');
    expect(await freeDiskBytes(file)).toBe(0);
    expect(await freeDiskBytes(path.join(file, 'inside'))).toBe(0);
  });

  it('is not read beyond its end', async () => {
    const file = await openSpillFile(await scratch());
    await file.append(new Float32Array(2));
    await expect(file.read(4, new Float32Array(2))).rejects.toThrow('shorter');
    await file.close();
  });
});
