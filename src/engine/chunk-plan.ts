/** Query rows computed at once: larger chunks only cost memory (weights of 512 x 4096 keys are 268 MB at 32 heads). */
export const chunkRows = 512;

export interface Chunk {
  readonly start: number;
  readonly count: number;
}

/** Splits `0..length-1` into chunks of at most `rows`, with boundaries at every one of `stops`. */
export function chunkPlan(length: number, stops: readonly number[], rows: number = chunkRows): Chunk[] {
  const ends = [...new Set([...stops, length])]
    .filter((end) => end > 0 && end <= length)
    .sort((a, b) => a - b);
  const chunks: Chunk[] = [];
  let start = 0;
  for (const end of ends) {
    while (start < end) {
      const count = Math.min(rows, end - start);
      chunks.push({ start, count });
      start += count;
    }
  }
  return chunks;
}
