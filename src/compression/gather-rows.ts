/**
 * Copies rows of a head: `target[targetRow + i] = source[sourceRow + positions[i]]`, rows of `width` floats.
 */
export function gatherRows(options: {
  target: Float32Array;
  targetRow: number;
  source: Float32Array;
  sourceRow: number;
  width: number;
  positions: Int32Array;
}): void {
  const { target, source, sourceRow, width, positions } = options;
  let to = options.targetRow * width;
  for (let i = 0; i < positions.length; i++) {
    const from = (sourceRow + positions[i]!) * width;
    for (let d = 0; d < width; d++) target[to++] = source[from + d]!;
  }
}
