import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { decodeImage, maxImagePixels, readImage } from '../../src/backbone/decode-image.js';
import { sha256 } from '../../src/core/content-hash.js';
import { UserError } from '../../src/core/errors.js';
import { fixturePath } from '../support/fixture-path.js';
import { readJson } from '../support/read-json.js';

const decodedSchema = z.object({
  files: z.record(
    z.string(),
    z.object({ mode: z.string(), width: z.int(), height: z.int(), sha256: z.string() }),
  ),
});
const decoded = Object.entries(readJson(fixturePath('images/decoded.json'), decodedSchema).files);

const imagePath = (name: string): string => fixturePath(`images/${name}`);

describe('an image decodes to the very bytes PIL converts it to', () => {
  test.each(decoded)('%s', async (name, expected) => {
    const image = await readImage(imagePath(name));
    expect([image.width, image.height, image.data.length]).toEqual([
      expected.width,
      expected.height,
      3 * expected.width * expected.height,
    ]);
    expect(sha256(image.data)).toBe(expected.sha256);
  });
});

describe('damaged and foreign input', () => {
  test.each([
    'rgb.png',
    'interlaced.png',
    'palette.png',
    'jpeg-420.jpg',
    'jpeg-progressive.jpg',
    'lossy.webp',
    'opaque.gif',
  ])('%s cut anywhere in its pixels is an error, never half an image', async (name) => {
    const bytes = readFileSync(imagePath(name));
    /** The last chunk of a PNG (12 bytes and the checksum before it) and the end mark of a GIF hold no pixels. */
    const mark = name.endsWith('.png') ? 16 : 2;
    for (let left = 0; left < bytes.length - mark; left += Math.max(1, Math.floor(bytes.length / 40))) {
      await expect(decodeImage(bytes.subarray(0, left), name), `${left} bytes`).rejects.toThrow(UserError);
    }
  });

  test('an error names the file and stays on one line', async () => {
    const bytes = readFileSync(imagePath('rgb.png'));
    const failure = decodeImage(bytes.subarray(0, 200), 'sample/7.png');
    await expect(failure).rejects.toThrow(/^sample\/7\.png: cannot decode the image \([^\n]+\); replace/);
  });

  test('a text file, an SVG and a BMP are refused by what they are', async () => {
    for (const content of ['hello, world', '<svg xmlns="http://www.w3.org/2000/svg"/>', 'BM\0\0\0\0']) {
      await expect(decodeImage(Buffer.from(content), 'x')).rejects.toThrow(
        'x: not an image of a readable format (PNG, JPEG, WebP and GIF); convert the image to PNG',
      );
    }
  });

  test('an image of more pixels than PIL reads is refused before it is decoded', async () => {
    const bytes = Buffer.from(readFileSync(imagePath('opaque.gif')));
    bytes.writeUInt16LE(20_000, 6);
    bytes.writeUInt16LE(20_000, 8);
    await expect(decodeImage(bytes, 'bomb.gif')).rejects.toThrow(
      `bomb.gif: image of 20000 x 20000 pixels is beyond the limits (${maxImagePixels} pixels`,
    );
  });

  test('a corrupted pixel stream is an error', async () => {
    const bytes = Buffer.from(readFileSync(imagePath('rgb.png')));
    bytes[bytes.length >> 1]! ^= 0x55;
    await expect(decodeImage(bytes, 'x')).rejects.toThrow(UserError);
  });

  test('bytes after the end of an image do no harm, as in PIL', async () => {
    for (const name of ['rgb.png', 'jpeg-420.jpg', 'opaque.gif', 'lossy.webp']) {
      const bytes = Buffer.concat([readFileSync(imagePath(name)), Buffer.from('trailing')]);
      expect((await decodeImage(bytes, name)).data).toEqual((await readImage(imagePath(name))).data);
    }
  });
});

describe('reading from disk', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'lookm-image-'));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  test('a missing file is a UserError that names it', async () => {
    const path = join(directory, 'missing.png');
    await expect(readImage(path)).rejects.toThrow(UserError);
    await expect(readImage(path)).rejects.toThrow(path);
  });

  test('the format is told from the content, not from the name', async () => {
    const path = join(directory, 'really-a-jpeg.png');
    writeFileSync(path, readFileSync(imagePath('jpeg-420.jpg')));
    expect((await readImage(path)).data).toEqual((await readImage(imagePath('jpeg-420.jpg'))).data);
  });
});
