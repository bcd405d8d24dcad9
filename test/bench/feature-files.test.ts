import { mkdir, readdir, readFile, rename, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { openFeatureFiles } from '../../src/bench/feature-files.js';
import { ImageFeatures } from '../../src/bench/image-features.js';
import { sha256 } from '../../src/core/content-hash.js';
import { bundleManifest } from '../cli/fake-shell.js';
import { scratch } from './fake-run.js';

const floats = bundleManifest.vision.tokensPerImage * bundleManifest.text.hiddenSize;
const fileBytes = 4 * floats + 32;
const [red, blue] = [sha256('red'), sha256('blue')];

function features(value: number): Float32Array {
  return Float32Array.from({ length: floats }, (_, i) => value + i / 7);
}

/** The one file below a root. */
async function onlyFile(root: string): Promise<string> {
  const names = await readdir(root, { recursive: true });
  const files = names.filter((name) => name.endsWith('.features'));
  expect(files).toHaveLength(1);
  return path.join(root, files[0]!);
}

describe('image features on disk', () => {
  test('come back to the bit, for the same bundle only', async () => {
    const root = await scratch();
    const files = await openFeatureFiles(root, bundleManifest);
    expect(await files.read(red)).toBeNull();
    expect(await files.write(red, features(1))).toBe(true);
    const again = await openFeatureFiles(root, { ...bundleManifest, name: 'renamed' });
    expect(await again.read(red)).toEqual(features(1));
    expect(await again.read(blue)).toBeNull();
    const prompt = { ...bundleManifest.prompt, before: 'another' };
    expect(await (await openFeatureFiles(root, { ...bundleManifest, prompt })).read(red)).toBeNull();
  });

  test.each<[string, (file: string) => Promise<void>]>([
    ['cut', (file) => truncate(file, fileBytes - 1)],
    ['emptied', (file) => truncate(file, 0)],
    [
      'changed by a bit',
      async (file) => {
        const content = await readFile(file);
        content[100]! ^= 1;
        await writeFile(file, content);
      },
    ],
    ['longer', async (file) => writeFile(file, Buffer.concat([await readFile(file), Buffer.from([0])]))],
  ])('that are %s count as missing and are replaced', async (_, damage) => {
    const root = await scratch();
    const files = await openFeatureFiles(root, bundleManifest);
    await files.write(red, features(1));
    await damage(await onlyFile(root));
    expect(await files.read(red)).toBeNull();
    await files.write(red, features(1));
    expect(await files.read(red)).toEqual(features(1));
  });

  test('under the name of another image count as missing', async () => {
    const root = await scratch();
    const files = await openFeatureFiles(root, bundleManifest);
    await files.write(red, features(1));
    const file = await onlyFile(root);
    await rename(file, path.join(path.dirname(file), path.basename(file).replace(red, blue)));
    expect(await files.read(blue)).toBeNull();
  });

  test('stay within the bound of the whole folder, other bundles included', async () => {
    const root = await scratch();
    await mkdir(path.join(root, 'other'));
    await writeFile(path.join(root, 'other/file'), Buffer.alloc(fileBytes));
    const files = await openFeatureFiles(root, bundleManifest, { limit: 2 * fileBytes });
    expect(await files.write(red, features(1))).toBe(true);
    expect(await files.write(blue, features(2))).toBe(false);
    expect(await files.read(red)).toEqual(features(1));
    await onlyFile(root);
  });

  test('in a place that is no folder are refused by name', async () => {
    const root = path.join(await scratch(), 'file');
    await writeFile(root, '');
    await expect(openFeatureFiles(root, bundleManifest)).rejects.toThrow(
      /file: image features cannot be kept there .*; give vision-cache another directory$/,
    );
  });
});

describe('image features', () => {
  const image = (name: string) => ({ pixels: Float32Array.of(name.length), sha256: sha256(name) });

  test('are made once, kept while they are used, and found on disk by the next run', async () => {
    const root = await scratch();
    const encoded: number[] = [];
    const encode = async (pixels: Float32Array): Promise<Float32Array> => {
      encoded.push(pixels[0]!);
      return features(pixels[0]!);
    };
    const open = async (mostBytes: number): Promise<ImageFeatures> =>
      new ImageFeatures(encode, { files: await openFeatureFiles(root, bundleManifest), mostBytes });
    const first = await open(2 * 4 * floats);
    for (const name of ['a', 'bb', 'a', 'ccc', 'a']) {
      expect(await first.of(image(name))).toEqual(features(name.length));
    }
    await first.close();
    expect(encoded).toEqual([1, 2, 3]);
    expect(first.counts).toEqual({ encoded: 3, fromMemory: 2, fromDisk: 0, unwritten: 0 });
    // Of a, bb and ccc only the two used last were kept in memory.
    expect(await first.of(image('bb'))).toEqual(features(2));
    expect(first.counts).toMatchObject({ encoded: 3, fromDisk: 1 });
    const second = await open(0);
    for (const name of ['a', 'a', 'ccc']) expect(await second.of(image(name))).toEqual(features(name.length));
    expect(second.counts).toEqual({ encoded: 0, fromMemory: 0, fromDisk: 3, unwritten: 0 });
    expect(encoded).toHaveLength(3);
  });

  test('that find no room are made all the same, and counted', async () => {
    const files = await openFeatureFiles(await scratch(), bundleManifest, { limit: fileBytes });
    const all = new ImageFeatures(async ([value]) => features(value!), { files });
    for (const name of ['a', 'bb', 'ccc']) expect(await all.of(image(name))).toEqual(features(name.length));
    await all.close();
    expect(all.counts).toEqual({ encoded: 3, fromMemory: 0, fromDisk: 0, unwritten: 2 });
  });
});
