import { copyFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { readImage } from '../../src/backbone/decode-image.js';
import { fitImage, normaliseImage } from '../../src/backbone/preprocess-image.js';
import { ImageReader } from '../../src/bench/image-reader.js';
import { UserError } from '../../src/core/errors.js';
import { fixturePath, repositoryPath } from '../support/fixture-path.js';
import { scratch } from './fake-run.js';

const settings = {
  aspect: 'pad',
  size: 24,
  mean: [0.5, 0.4, 0.3],
  std: [0.2, 0.3, 0.4],
  rescaleFactor: 1 / 255,
} satisfies ConstructorParameters<typeof ImageReader>[0]['settings'];
const files = [0, 1, 2].map((image) => fixturePath(`backbones/llava/images/${image}.png`));

function openReader(workerFile = repositoryPath('dist/bench/image-worker.js')): ImageReader {
  const reader = new ImageReader({ settings, workerFile });
  onTestFinished(() => reader.close());
  return reader;
}

it('gives the pixels that reading on this thread gives, in order, read ahead or not', async () => {
  const reader = openReader();
  const read = await reader.read(files);
  for (const [index, file] of files.entries()) {
    expect(read[index]!.pixels).toEqual(normaliseImage(fitImage(await readImage(file), settings), settings));
  }
  expect(new Set(read.map(({ sha256 }) => sha256)).size).toBe(3);
  reader.readAhead([files[2]!, files[0]!]);
  const [last, first] = await reader.read([files[2]!, files[0]!]);
  expect([last!.sha256, first!.sha256]).toEqual([read[2]!.sha256, read[0]!.sha256]);
});

it('reports a damaged image when its turn comes, as an error the user can mend, and reads on', async () => {
  const damaged = path.join(await scratch(), 'damaged.png');
  await writeFile(damaged, 'no image');
  const reader = openReader();
  reader.readAhead([damaged]);
  await expect(reader.read([damaged])).rejects.toThrow(UserError);
  await expect(reader.read([damaged])).rejects.toThrow(/damaged\.png: not an image/);
  expect((await reader.read(files)).length).toBe(3);
});

it('fails instead of waiting for ever when its thread cannot start', async () => {
  const reader = openReader(path.join(await scratch(), 'missing.js'));
  await new Promise((resolve) => setTimeout(resolve, 200));
  await expect(reader.read(files)).rejects.toThrow('the image thread has ended');
});

it('decodes each content once, under whatever names and however often it comes', async () => {
  const twin = path.join(await scratch(), 'twin.png');
  await copyFile(files[1]!, twin);
  const reader = openReader();
  const [first, second, again, other] = await reader.read([files[0]!, files[1]!, files[0]!, twin]);
  expect(reader.counters).toEqual({ decoded: 2, reused: 2 });
  expect(again).toEqual(first);
  expect(other).toEqual(second);
  reader.readAhead([twin, files[0]!]);
  expect(await reader.read([files[0]!, twin])).toEqual([first, second]);
  expect(reader.counters).toEqual({ decoded: 2, reused: 4 });
});
