/** Some columns of a row-major matrix: `width` numbers a row, from column `first` on. */
interface Columns {
  readonly data: Float32Array;
  readonly width: number;
  readonly first: number;
}

/** Copies `count` columns of `rows` rows from one matrix into another. */
export function copyColumns(target: Columns, source: Columns, rows: number, count: number): void {
  for (let row = 0; row < rows; row++) {
    const from = row * source.width + source.first;
    target.data.set(source.data.subarray(from, from + count), row * target.width + target.first);
  }
}
