/**
 * A grid [from, from] of values at another size, as torch's bicubic interpolation without antialiasing gives it, in
 * float64: along rows, then along columns.
 *
 * Keys' kernel with parameter a is the cubic Hermite spline whose slope at a point is -a times the difference of its
 * neighbours, so it is computed as that; beyond the border the grid goes on with the value on it.
 */
export function referenceBicubic(grid: readonly number[], from: number, to: number): number[] {
  const line = (values: readonly number[]): number[] =>
    Array.from({ length: to }, (_, at) => splineAt(values, ((at + 0.5) * from) / to - 0.5));
  const rows = Array.from({ length: from }, (_, y) => line(grid.slice(y * from, (y + 1) * from)));
  const columns = Array.from({ length: to }, (_, x) => line(rows.map((row) => row[x]!)));
  return Array.from({ length: to * to }, (_, i) => columns[i % to]![Math.floor(i / to)]!);
}

const slope = 0.75;

function splineAt(values: readonly number[], place: number): number {
  const at = (index: number): number => values[Math.min(Math.max(index, 0), values.length - 1)]!;
  const left = Math.floor(place);
  const t = place - left;
  const [p0, p1] = [at(left), at(left + 1)];
  const m0 = slope * (p1 - at(left - 1));
  const m1 = slope * (at(left + 2) - p0);
  return (
    (2 * t ** 3 - 3 * t ** 2 + 1) * p0 +
    (t ** 3 - 2 * t ** 2 + t) * m0 +
    (-2 * t ** 3 + 3 * t ** 2) * p1 +
    (t ** 3 - t ** 2) * m1
  );
}
