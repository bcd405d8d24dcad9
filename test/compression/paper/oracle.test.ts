import { afterAll, describe, expect, it } from 'vitest';
import { Kernels } from '../../support/kernels.js';
import { type ComparedShape, casesPerShape, compareWithOracle } from './compare-with-oracle.js';

/** Grouped kernels (head sizes that are multiples of 8) and unfused ones; windows within a chunk and across many. */
const shapes: readonly ComparedShape[] = [
  { heads: 2, kvHeads: 2, headDim: 8, length: 40, chunkRows: 512, images: [{ start: 5, length: 18 }] },
  { heads: 6, kvHeads: 2, headDim: 8, length: 61, chunkRows: 7, images: [{ start: 3, length: 40 }] },
  { heads: 6, kvHeads: 2, headDim: 5, length: 57, chunkRows: 16, images: [{ start: 20, length: 30 }] },
  { heads: 3, kvHeads: 1, headDim: 7, length: 90, chunkRows: 5, images: [{ start: 60, length: 30 }] },
  { heads: 4, kvHeads: 4, headDim: 16, length: 100, chunkRows: 33, images: [{ start: 1, length: 90 }] },
  { heads: 1, kvHeads: 1, headDim: 3, length: 45, chunkRows: 1, images: [] },
  { heads: 2, kvHeads: 1, headDim: 4, length: 6, chunkRows: 2, images: [{ start: 1, length: 2 }] },
  { heads: 2, kvHeads: 2, headDim: 12, length: 260, chunkRows: 100, images: [{ start: 30, length: 190 }] },
  { heads: 2, kvHeads: 1, headDim: 64, length: 130, chunkRows: 512, images: [{ start: 0, length: 130 }] },
  {
    ...{ heads: 3, kvHeads: 3, headDim: 9, length: 70, chunkRows: 64 },
    images: [
      { start: 4, length: 9 },
      { start: 20, length: 9 },
      { start: 50, length: 30 },
    ],
  },
];

const kernels = new Kernels({ threads: 2 });
afterAll(() => kernels.close());

describe(`the paper semantics: ${shapes.length * casesPerShape} cases`, () => {
  it.each(shapes)(
    `are the float64 oracle's in ${casesPerShape} cases of $length tokens, $heads/$kvHeads heads of $headDim`,
    async (shape) => {
      const { compared, tooClose, largestError } = await compareWithOracle(kernels, shape);
      expect(compared).toBe(casesPerShape);
      expect(tooClose).toBeLessThan(compared / 10);
      expect(largestError).toBeLessThan(1e-5);
    },
  );
});
