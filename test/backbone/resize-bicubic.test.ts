import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { resizeBicubic } from '../../src/backbone/resize-bicubic.js';
import { type RgbImage, rowsOf, rowsOnSquare } from '../../src/backbone/rgb-image.js';
import { sha256 } from '../../src/core/content-hash.js';
import { BugError } from '../../src/core/errors.js';
import { fixturePath } from '../support/fixture-path.js';
import { readJson } from '../support/read-json.js';

const resizedSchema = z.object({
  cases: z.array(
    z.object({
      seed: z.int(),
      width: z.int(),
      height: z.int(),
      toWidth: z.int(),
      toHeight: z.int(),
      sha256: z.string(),
    }),
  ),
});
const { cases } = readJson(fixturePath('images/resized.json'), resizedSchema);

/** Hashed noise; every third seed gives only 0 and 255, where the negative lobes of the filter overshoot. */
function noiseImage(width: number, height: number, seed: number): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i++) {
    let x = (Math.imul(i, 2654435761) + seed * 40503) >>> 0;
    x ^= x >>> 15;
    x = Math.imul(x, 2246822519);
    x ^= x >>> 13;
    const value = x & 255;
    data[i] = seed % 3 !== 0 ? value : value > 127 ? 255 : 0;
  }
  return { width, height, data };
}

describe('bicubic resizing equals Pillow bit for bit', () => {
  test.each(cases)('$width x $height -> $toWidth x $toHeight (noise $seed)', (resize) => {
    const image = noiseImage(resize.width, resize.height, resize.seed);
    const result = resizeBicubic(rowsOf(image), { width: resize.toWidth, height: resize.toHeight });
    expect(sha256(result.data)).toBe(resize.sha256);
  });
});

const side = fc.integer({ min: 1, max: 40 });
const imageAndTarget = fc.record({
  width: side,
  height: side,
  seed: fc.nat(99),
  toWidth: side,
  toHeight: side,
});

describe('properties', () => {
  test('a window is the same part of the whole result', () => {
    fc.assert(
      fc.property(
        imageAndTarget,
        fc.tuple(fc.nat(1000), fc.nat(1000), fc.nat(1000), fc.nat(1000)),
        ({ width, height, seed, toWidth, toHeight }, [a, b, c, d]) => {
          const source = rowsOf(noiseImage(width, height, seed));
          const left = a % toWidth;
          const top = b % toHeight;
          const window = {
            left,
            top,
            width: 1 + (c % (toWidth - left)),
            height: 1 + (d % (toHeight - top)),
          };
          const whole = resizeBicubic(source, { width: toWidth, height: toHeight });
          const part = resizeBicubic(source, { width: toWidth, height: toHeight, window });
          for (let row = 0; row < window.height; row++) {
            const from = 3 * ((top + row) * toWidth + left);
            expect(part.data.subarray(3 * row * window.width, 3 * (row + 1) * window.width)).toEqual(
              whole.data.subarray(from, from + 3 * window.width),
            );
          }
        },
      ),
    );
  });

  test('an image of one colour stays that colour', () => {
    fc.assert(
      fc.property(imageAndTarget, fc.nat(255), ({ width, height, toWidth, toHeight }, value) => {
        const image = { width, height, data: new Uint8Array(3 * width * height).fill(value) };
        const result = resizeBicubic(rowsOf(image), { width: toWidth, height: toHeight });
        expect(result.data).toEqual(new Uint8Array(3 * toWidth * toHeight).fill(value));
      }),
    );
  });

  test('a resize to the same size is the identity', () => {
    const image = noiseImage(17, 9, 4);
    expect(resizeBicubic(rowsOf(image), { width: 17, height: 9 }).data).toEqual(image.data);
  });
});

test('a window outside the result is a bug of the caller', () => {
  const source = rowsOf(noiseImage(4, 4, 1));
  const window = { left: 2, top: 0, width: 3, height: 4 };
  expect(() => resizeBicubic(source, { width: 4, height: 4, window })).toThrow(BugError);
});

test('rows on a square hold the image in the middle, rounded to the left and to the top', () => {
  const wide = rowsOnSquare({ width: 4, height: 1, data: new Uint8Array(12).fill(9) }, [1, 2, 3]);
  const rows = [0, 1, 2, 3].map((y) => [...wide.row(y)]);
  const blank = [1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3];
  expect(rows).toEqual([blank, new Array(12).fill(9), blank, blank]);
  const tall = rowsOnSquare({ width: 1, height: 2, data: new Uint8Array(6).fill(9) }, [1, 2, 3]);
  expect([[...tall.row(0)], [...tall.row(1)]]).toEqual([
    [9, 9, 9, 1, 2, 3],
    [9, 9, 9, 1, 2, 3],
  ]);
});
