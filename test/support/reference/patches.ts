import type { Rows, WeightOf } from './rows.js';

/** Sizes of a picture cut into patches. */
export interface PatchSizes {
  readonly imageSize: number;
  readonly patchSize: number;
  readonly width: number;
}

/** One row a patch of pixels [3, S, S], from left to right and top to bottom; what is left over is ignored. */
export function patchRows(
  weight: WeightOf,
  kernelName: string,
  pixels: Float32Array,
  { imageSize: size, patchSize: patch, width }: PatchSizes,
): Rows {
  const kernel = weight(kernelName);
  const grid = Math.floor(size / patch);
  const rows: Rows = [];
  for (let top = 0; top < grid * patch; top += patch) {
    for (let left = 0; left < grid * patch; left += patch) {
      const row = new Float64Array(width);
      for (let i = 0; i < width * 3 * patch * patch; i++) {
        const x = i % patch;
        const y = Math.floor(i / patch) % patch;
        const channel = Math.floor(i / patch ** 2) % 3;
        row[Math.floor(i / (3 * patch ** 2))]! +=
          kernel[i]! * pixels[(channel * size + top + y) * size + left + x]!;
      }
      rows.push(row);
    }
  }
  return rows;
}
