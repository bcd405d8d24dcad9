import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { combinedGrid, combinePlan } from '../../src/milebench/combine-plan.js';

const names = (count: number) => Array.from({ length: count }, (_, image) => `${image}.png`);

describe('combining images', () => {
  test('spreads 7 images over 3 pictures', () => {
    expect(combinePlan({ sampleId: 'a', images: names(7), pictures: 3 })).toEqual({
      groups: [
        { images: ['0.png', '1.png', '2.png'], firstCaption: 1 },
        { images: ['3.png', '4.png', '5.png'], firstCaption: 4 },
        { images: ['6.png'], firstCaption: 7 },
      ],
      files: ['a-0.jpg', 'a-1.jpg', 'a-2.jpg'],
    });
  });

  test('has no picture for a sample without images', () => {
    expect(combinePlan({ sampleId: 1, images: [], pictures: 4 })).toEqual({ groups: [], files: [] });
  });

  test('keeps every image in order, in at most so many pictures, all but the last of one size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 120 }), fc.integer({ min: 1, max: 16 }), (images, pictures) => {
        const { groups, files } = combinePlan({ sampleId: 7, images: names(images), pictures });
        expect(groups.flatMap((group) => group.images)).toEqual(names(images));
        expect(groups.length).toBeLessThanOrEqual(pictures);
        expect(files).toEqual(groups.map((_, index) => `7-${index}.jpg`));
        const sizes = groups.map((group) => group.images.length);
        expect(new Set(sizes.slice(0, -1)).size).toBeLessThanOrEqual(1);
        expect(sizes.at(-1)).toBeLessThanOrEqual(sizes[0]!);
        for (const group of groups) expect(names(images)[group.firstCaption - 1]).toBe(group.images[0]);
      }),
    );
  });
});

describe('the layout of a combined picture', () => {
  test('leaves the last cells empty', () => {
    expect(combinedGrid({ images: 5, firstCaption: 4 })).toEqual({
      columns: 3,
      rows: 2,
      cells: [
        [0, 1, 2],
        [3, 4, -1],
      ],
      captions: ['Image 4', 'Image 5', 'Image 6', 'Image 7', 'Image 8'],
    });
  });

  test('holds every image once in reading order, no empty row, as wide as high or one row less', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), (images) => {
        const { columns, rows, cells } = combinedGrid({ images, firstCaption: 1 });
        const filled = cells.flat().filter((cell) => cell !== -1);
        expect(filled).toEqual(Array.from({ length: images }, (_, image) => image));
        expect(cells.flat().slice(images)).toEqual(Array(columns * rows - images).fill(-1));
        expect(cells.every((row) => row.length === columns && row[0] !== -1)).toBe(true);
        expect([0, 1]).toContain(columns - rows);
      }),
    );
  });
});
