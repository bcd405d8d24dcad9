/** An 8-bit RGB image in memory. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  /** Interleaved samples [height, width, 3]. */
  readonly data: Uint8Array;
}

/** An RGB image read row by row, so that a padded image need not exist in memory. */
export interface RgbRows {
  readonly width: number;
  readonly height: number;
  /** Samples [width, 3] of row `y`; only valid until the next call. */
  readonly row: (y: number) => Uint8Array;
}

/** The rows of an image in memory, without copying. */
export function rowsOf({ width, height, data }: RgbImage): RgbRows {
  return { width, height, row: (y) => data.subarray(3 * width * y, 3 * width * (y + 1)) };
}

/**
 * The rows of an image pasted on a square of `colour`: side = longest edge, offset = floor((long - short) / 2)
 * (reference: LLaVA mm_utils.py, `expand2square`).
 */
export function rowsOnSquare(image: RgbImage, colour: readonly [number, number, number]): RgbRows {
  const { width, height } = image;
  const side = Math.max(width, height);
  if (width === height) return rowsOf(image);
  const left = Math.floor((side - width) / 2);
  const top = Math.floor((side - height) / 2);
  const blank = new Uint8Array(3 * side);
  for (let at = 0; at < blank.length; at += 3) blank.set(colour, at);
  const pasted = Uint8Array.from(blank);
  const rows = rowsOf(image);
  return {
    width: side,
    height: side,
    row: (y) => {
      if (y < top || y >= top + height) return blank;
      pasted.set(rows.row(y - top), 3 * left);
      return pasted;
    },
  };
}
