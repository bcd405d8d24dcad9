import { type OpenFile, readFully } from './read-fully.js';
import type { TensorLayout } from './tensor-layout.js';
import { blockBytes } from './tensor-source.js';

/** A matrix whose rows or columns are apart in its file. */
interface StoredMatrix {
  /** What is read, as a message names it. */
  readonly part: string;
  /** Byte of the first element in the file. */
  readonly offset: number;
  readonly elementBytes: number;
  readonly layout: Extract<TensorLayout, { kind: 'matrix' }>;
}

/**
 * Fills `target` with the row-major bytes of a matrix from byte `start` on; both lie on elements. The part of the
 * file that holds them is read in blocks, whatever lies between them, so memory does not grow with the matrix.
 *
 * @throws UserError when the file ends before
 */
export async function readMatrix(
  file: OpenFile,
  target: Uint8Array,
  { start, matrix }: { start: number; matrix: StoredMatrix },
): Promise<void> {
  const { elementBytes, layout, offset, part } = matrix;
  const { columns, rowStride, columnStride } = layout;
  const first = start / elementBytes;
  const end = first + target.length / elementBytes;
  const firstRow = Math.floor(first / columns);
  const lastRow = Math.floor((end - 1) / columns);
  const from = firstRow * rowStride;
  const to = lastRow * rowStride + (columns - 1) * columnStride + 1;
  const chunkElements = Math.floor(blockBytes / elementBytes);
  const buffer = new Uint8Array(Math.min(chunkElements, to - from) * elementBytes);
  for (let chunk = from; chunk < to; chunk += chunkElements) {
    const chunkEnd = Math.min(to, chunk + chunkElements);
    const bytes = buffer.subarray(0, (chunkEnd - chunk) * elementBytes);
    await readFully(file, bytes, { position: offset + chunk * elementBytes, part });
    const top = Math.max(firstRow, Math.ceil((chunk - (columns - 1) * columnStride) / rowStride));
    const bottom = Math.min(lastRow, Math.floor((chunkEnd - 1) / rowStride));
    for (let row = top; row <= bottom; row++) {
      const rowStart = row * rowStride;
      const left = Math.max(first - row * columns, Math.ceil((chunk - rowStart) / columnStride), 0);
      const right = Math.min(end - row * columns, Math.ceil((chunkEnd - rowStart) / columnStride), columns);
      let into = (row * columns + left - first) * elementBytes;
      for (let column = left; column < right; column++) {
        const at = (rowStart + column * columnStride - chunk) * elementBytes;
        for (let byte = 0; byte < elementBytes; byte++) target[into++] = bytes[at + byte]!;
      }
    }
  }
}
