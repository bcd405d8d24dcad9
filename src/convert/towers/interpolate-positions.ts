/** Sharpness of torch's bicubic kernel. */
const sharpness = -0.75;

/**
 * The position table of a square grid for another one: [1 + from², C] -> [1 + to², C]; the first row, of the class
 * token, is kept.
 *
 * Equal to torch's `interpolate(mode='bicubic', align_corners=False)` without antialiasing: each new point takes 4 x 4
 * old ones around it, beyond the border those on the border. (Reference: InternVL's `resize_pos_embeddings`.)
 */
export function interpolatePositions(
  table: Float32Array,
  grid: { readonly from: number; readonly to: number },
): Float32Array {
  const { from, to } = grid;
  const width = table.length / (1 + from ** 2);
  const taps = Array.from({ length: to }, (_, at) => gridTaps(at, grid));
  const result = new Float32Array((1 + to ** 2) * width);
  result.set(table.subarray(0, width));
  const sum = new Float64Array(width);
  for (const [y, rows] of taps.entries()) {
    for (const [x, columns] of taps.entries()) {
      sum.fill(0);
      for (const row of rows) {
        for (const column of columns) {
          const weight = row.weight * column.weight;
          const start = (1 + row.index * from + column.index) * width;
          for (let i = 0; i < width; i++) sum[i]! += weight * table[start + i]!;
        }
      }
      result.set(sum, (1 + y * to + x) * width);
    }
  }
  return result;
}

interface Tap {
  readonly index: number;
  readonly weight: number;
}

/** The four old grid lines that a new one is made of. */
function gridTaps(at: number, { from, to }: { readonly from: number; readonly to: number }): Tap[] {
  const centre = (at + 0.5) * (from / to) - 0.5;
  const line = Math.floor(centre);
  return [-1, 0, 1, 2].map((offset) => ({
    index: Math.min(Math.max(line + offset, 0), from - 1),
    weight: cubic(Math.abs(centre - line - offset)),
  }));
}

/** Keys' cubic kernel at a distance of 0 to 2. */
function cubic(distance: number): number {
  const a = sharpness;
  if (distance <= 1) return ((a + 2) * distance - (a + 3)) * distance ** 2 + 1;
  return ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a;
}
