/**
 * Torch's adaptive average pooling of `from` values to `to` as a matrix [from, to]: output i is the mean of inputs
 * floor(i * from / to) to ceil((i + 1) * from / to), the last not included.
 */
export function averagingMatrix(from: number, to: number): Float32Array {
  const matrix = new Float32Array(from * to);
  for (let i = 0; i < to; i++) {
    const start = Math.floor((i * from) / to);
    const end = Math.ceil(((i + 1) * from) / to);
    for (let input = start; input < end; input++) matrix[input * to + i] = 1 / (end - start);
  }
  return matrix;
}
