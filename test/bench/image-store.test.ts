import { copyFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readImage } from '../../src/backbone/decode-image.js';
import { fitImage, type ImageSettings } from '../../src/backbone/preprocess-image.js';
import { ImageStore } from '../../src/bench/image-store.js';
import { sha256 } from '../../src/core/content-hash.js';
import { fixturePath } from '../support/fixture-path.js';
import { scratch } from './fake-run.js';

const settings: ImageSettings = {
  aspect: 'pad',
  size: 24,
  mean: [0.5, 0.4, 0.3],
  std: [0.2, 0.3, 0.4],
  rescaleFactor: 1 / 255,
};
const bytesOfOne = 3 * 24 * 24;
const files = [0, 1, 2].map((image) => fixturePath(`backbones/llava/images/${image}.png`));

async function reusedOf(store: ImageStore, file: string): Promise<boolean> {
  return (await store.read(file)).reused;
}

describe('the store of decoded images', () => {
  it('gives the same samples the first time and again', async () => {
    const store = new ImageStore(settings);
    const expected = fitImage(await readImage(files[0]!), settings);
    for (const reused of [false, true]) {
      const stored = await store.read(files[0]!);
      expect(stored).toMatchObject({ reused, sha256: sha256(expected.data) });
      expect(stored.image).toEqual(expected);
    }
  });

  it('shares the work of requests that come together', async () => {
    const store = new ImageStore(settings);
    const both = await Promise.all([store.read(files[0]!), store.read(files[0]!)]);
    expect(both.map(({ reused }) => reused)).toEqual([false, true]);
    expect(both[0]!.image).toBe(both[1]!.image);
  });

  it('forgets what was used longest ago when it is full', async () => {
    const store = new ImageStore(settings, { mostBytes: 2 * bytesOfOne });
    for (const file of [files[0]!, files[1]!, files[0]!, files[2]!]) await store.read(file);
    expect(await reusedOf(store, files[0]!)).toBe(true);
    expect(await reusedOf(store, files[1]!)).toBe(false);
  });

  it('keeps the last image even when it is larger than the room', async () => {
    const store = new ImageStore(settings, { mostBytes: 1 });
    await store.read(files[0]!);
    expect(await reusedOf(store, files[0]!)).toBe(true);
  });

  it('takes a changed file for another image', async () => {
    const file = path.join(await scratch(), 'image.png');
    const store = new ImageStore(settings);
    await copyFile(files[0]!, file);
    const before = await store.read(file);
    await copyFile(files[1]!, file);
    const after = await store.read(file);
    expect(after).toMatchObject({ reused: false });
    expect(after.sha256).not.toBe(before.sha256);
  });

  it('names the file that was asked for when the content is no image, each time', async () => {
    const folder = await scratch();
    const names = ['one.png', 'two.png'].map((name) => path.join(folder, name));
    for (const file of names) await writeFile(file, 'no image');
    const store = new ImageStore(settings);
    const results = await Promise.allSettled([...names, names[0]!].map((file) => store.read(file)));
    expect(results.map((result) => result.status === 'rejected' && String(result.reason))).toEqual([
      expect.stringContaining('one.png: not an image'),
      expect.stringContaining('two.png: not an image'),
      expect.stringContaining('one.png: not an image'),
    ]);
  });
});
