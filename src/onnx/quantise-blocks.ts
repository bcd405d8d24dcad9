import { bitsPerValue, blockSizes, type StoredMatrix } from './stored-matrix.js';

export type BlockFormat = Extract<StoredMatrix, { readonly scales: unknown }>['format'];

/** Sums over the weights of a matrix: what storing them costs, and against what. */
export interface StorageError {
  /** Squares of (stored - given). */
  squaredError: number;
  /** Squares of what was given. */
  squaredSum: number;
}

/** What `quantiseRows` fills, laid out as `StoredMatrix` says. */
export interface QuantisedRows {
  readonly values: Uint8Array;
  readonly scales: Float32Array;
  readonly zeroPoints: Uint8Array;
}

/** Elements of the arrays that hold `rows` rows of `columns` weights. */
export function quantisedSizes(format: BlockFormat, rows: number, columns: number) {
  const bits = bitsPerValue[format.dtype];
  const blocks = Math.ceil(columns / format.blockSize);
  return {
    values: (rows * blocks * format.blockSize * bits) / 8,
    scales: rows * blocks,
    zeroPoints: rows * Math.ceil((blocks * bits) / 8),
  };
}

/**
 * Parts of a block's range that its steps may span. A narrower range clips the outermost weights and is finer for all
 * others; the one with the smallest squared error is taken. On normal weights that takes 4 % (blocks of 32) to 5 %
 * (of 128) off the error of the full range; with 8 bits there is nothing to gain.
 */
const spans = { int4: [1, 1.04, 0.96, 0.92, 0.88, 0.83, 0.78], int8: [1] } as const;

/** Added and taken away again, it leaves no bits for a fraction: rounds to the nearest integer, ties to even. */
const noFraction = 1.5 * 2 ** 52;

/** A block's weights in double precision, so that each is converted once. */
const block = new Float64Array(Math.max(...blockSizes));

/** Step of the block at hand, a float32, and the integer that stands for 0. */
const fit = { step: 0, zero: 0 };

/**
 * Quantises rows of weights block by block: a step and a zero point each, chosen for the smallest squared error.
 *
 * @param weights [rows, columns]
 * @param target arrays of `quantisedSizes`, overwritten
 * @returns the error made; a sum is NaN or infinite when a weight is
 */
export function quantiseRows(
  weights: Float32Array,
  columns: number,
  format: BlockFormat,
  target: QuantisedRows,
): StorageError {
  const { blockSize, dtype } = format;
  const bits = bitsPerValue[dtype];
  const top = 2 ** bits - 1;
  const rows = weights.length / columns;
  const blocks = Math.ceil(columns / blockSize);
  const zeroBytes = Math.ceil((blocks * bits) / 8);
  const sums = { squaredError: 0, squaredSum: 0 };
  target.zeroPoints.fill(0);
  for (let row = 0; row < rows; row++) {
    for (let column = 0, index = row * blocks; column < columns; column += blockSize, index++) {
      const start = row * columns + column;
      for (let i = 0; i < blockSize; i++) block[i] = column + i < columns ? weights[start + i]! : 0;
      fitBlock(blockSize, top, spans[dtype], sums);
      target.scales[index] = fit.step;
      if (bits === 8) target.zeroPoints[index] = fit.zero;
      else {
        const inRow = index - row * blocks;
        target.zeroPoints[row * zeroBytes + (inRow >> 1)]! |= fit.zero << (4 * (inRow & 1));
      }
      packBlock(target.values, index * blockSize, blockSize, top);
    }
  }
  return sums;
}

/** Finds step and zero point of the block and adds its share to the sums. Padding is 0 and costs nothing. */
function fitBlock(size: number, top: number, parts: readonly number[], sums: StorageError): void {
  let low = 0;
  let high = 0;
  let square = 0;
  for (let i = 0; i < size; i++) {
    const weight = block[i]!;
    low = Math.min(low, weight);
    high = Math.max(high, weight);
    square += weight * weight;
  }
  fit.step = 0;
  fit.zero = (top + 1) / 2;
  let least = square;
  for (const part of parts) {
    const step = Math.fround(((high - low) * part) / top);
    if (step === 0) break;
    const inverse = 1 / step;
    const zero = Math.min(top, Math.max(0, Math.round((top - (high + low) * inverse) / 2)));
    const error = squaredError(size, inverse, -zero, top - zero) * step * step;
    if (error < least) {
      least = error;
      fit.step = step;
      fit.zero = zero;
    }
  }
  sums.squaredSum += square;
  sums.squaredError += least;
}

/** Sum of the squares of what rounding the block to integers from `low` to `high` loses, in steps. */
function squaredError(size: number, inverse: number, low: number, high: number): number {
  const middle = low + high;
  let error = 0;
  for (let i = 0; i < size; i++) {
    const value = block[i]! * inverse;
    // Nearest in [low, high]; weights are too random for a processor to foresee a branch.
    const within = 0.5 * (Math.abs(value - low) - Math.abs(value - high) + middle);
    const lost = value - (within + noFraction - noFraction);
    error += lost * lost;
  }
  return error;
}

/** Writes the block's integers from element `first` on, two to a byte when there are 4 bits. */
function packBlock(values: Uint8Array, first: number, size: number, top: number): void {
  const { step, zero } = fit;
  const inverse = step === 0 ? 0 : 1 / step;
  const integer = (i: number): number => {
    const within = Math.min(top - zero, Math.max(-zero, block[i]! * inverse));
    return within + noFraction - noFraction + zero;
  };
  if (top > 15) for (let i = 0; i < size; i++) values[first + i] = integer(i);
  else for (let i = 0; i < size; i += 2) values[(first + i) >> 1] = integer(i) | (integer(i + 1) << 4);
}
