/** Rows `from..to-1` of [heads, length, headDim] as [to - from, heads * headDim]. */
export function tokenMajor(
  data: Float32Array,
  at: {
    readonly heads: number;
    readonly headDim: number;
    readonly length: number;
    readonly from: number;
    readonly to: number;
  },
): Float32Array {
  const { heads, headDim, length, from, to } = at;
  const rows = new Float32Array((to - from) * heads * headDim);
  for (let row = from; row < to; row++) {
    for (let head = 0; head < heads; head++) {
      const source = (head * length + row) * headDim;
      rows.set(data.subarray(source, source + headDim), ((row - from) * heads + head) * headDim);
    }
  }
  return rows;
}
