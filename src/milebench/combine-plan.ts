import { invariant } from '../core/errors.js';

/** The images that go into one combined picture. */
export interface CombinedGroup {
  readonly images: readonly string[];
  /** The number in the first image's caption, `Image 1` for the first of a sample. */
  readonly firstCaption: number;
}

/** How the images of a sample are combined. */
export interface CombinePlan {
  readonly groups: readonly CombinedGroup[];
  /** One name for each group, in the folder `combined_N_images`; the same list is the annotation's field. */
  readonly files: readonly string[];
}

/**
 * Spreads a sample's images over at most `pictures` combined pictures, consecutive images together and every picture
 * but the last holding the same number. With no more images than pictures each stands alone, captioned all the same. A
 * sample without images has no picture; the official script stops at one.
 *
 * Source: MileBench `data/combine_images.py`, `main`.
 */
export function combinePlan({
  sampleId,
  images,
  pictures,
}: {
  readonly sampleId: number | string;
  readonly images: readonly string[];
  readonly pictures: number;
}): CombinePlan {
  invariant(Number.isInteger(pictures) && pictures > 0, 'images are combined into at least one picture');
  const together = Math.ceil(images.length / pictures);
  const groups: CombinedGroup[] = [];
  for (let start = 0; start < images.length; start += together) {
    groups.push({ images: images.slice(start, start + together), firstCaption: start + 1 });
  }
  return { groups, files: groups.map((_, index) => `${sampleId}-${index}.jpg`) };
}

/** What stands in a combined picture where. */
export interface CombinedGrid {
  readonly columns: number;
  readonly rows: number;
  /** [rows][columns]: the image's place in its group, -1 for a cell left black. */
  readonly cells: readonly (readonly number[])[];
  /** One for each image. */
  readonly captions: readonly string[];
}

/**
 * The layout of one combined picture: as square as the images allow, filled row by row.
 *
 * Source: MileBench `data/combine_images.py`, `combine_images`; there a cell has 800 x 800 pixels.
 */
export function combinedGrid({
  images,
  firstCaption,
}: {
  readonly images: number;
  readonly firstCaption: number;
}): CombinedGrid {
  invariant(images > 0, 'a combined picture holds at least one image');
  const columns = Math.ceil(Math.sqrt(images));
  const rows = Math.ceil(images / columns);
  const cells = Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (_, column) => {
      const image = row * columns + column;
      return image < images ? image : -1;
    }),
  );
  const captions = Array.from({ length: images }, (_, image) => `Image ${firstCaption + image}`);
  return { columns, rows, cells, captions };
}
