/** How the elements of a tensor lie behind its first one. Strides count elements. */
export type TensorLayout =
  /** One after another, row-major. */
  | { readonly kind: 'dense' }
  /** As the matrix [rows, columns], read row by row, whose rows or columns are apart: a transposed matrix, a slice. */
  | {
      readonly kind: 'matrix';
      readonly columns: number;
      readonly rowStride: number;
      readonly columnStride: number;
    }
  /** In an order that is not read. */
  | { readonly kind: 'scattered'; readonly strides: readonly number[] };

export const dense: TensorLayout = { kind: 'dense' };

/**
 * The simplest layout that means the same as `strides`: axes that follow one another without a gap are one.
 *
 * @param dims [axes]
 * @param strides [axes]
 */
export function tensorLayout(dims: readonly number[], strides: readonly number[]): TensorLayout {
  if (dims.includes(0)) return dense;
  const axes: { size: number; stride: number }[] = [];
  for (const [axis, size] of dims.entries()) {
    const stride = strides[axis]!;
    const before = axes.at(-1);
    if (size === 1) continue;
    if (before !== undefined && before.stride === stride * size)
      axes.splice(-1, 1, { size: before.size * size, stride });
    else axes.push({ size, stride });
  }
  const [first = { size: 1, stride: 1 }, second = { size: 1, stride: 1 }] = axes;
  if (axes.length > 2 || first.stride === 0 || second.stride === 0) return { kind: 'scattered', strides };
  if (axes.length < 2 && first.stride === 1) return dense;
  return { kind: 'matrix', columns: second.size, rowStride: first.stride, columnStride: second.stride };
}

/** What is wrong with a scattered tensor, as a message goes on after its name. */
export function scatteredFault({ strides }: Extract<TensorLayout, { kind: 'scattered' }>): string {
  return `lies in an order that cannot be read (strides ${strides.join(', ')})`;
}
