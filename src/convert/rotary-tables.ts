import type { LlamaShape } from '../checkpoint/llama-config.js';

/** Rows computed at once, so that long tables need no long arrays. */
const rowsPerBlock = 1024;

/** Bytes of one rotary table. */
export function rotaryTableBytes({ maxPositions, headDim }: LlamaShape): number {
  return maxPositions * (headDim / 2) * 4;
}

/**
 * Cosine or sine of the rotary angles, [maxPositions, headDim / 2] float32 in blocks of rows.
 *
 * Every step is rounded to float32 where transformers' `LlamaRotaryEmbedding` rounds: exponent, power,
 * inverse frequency, angle, result. At position 4000 the rounding of the angle alone is worth 1e-4 in K.
 */
export function* rotaryTable(shape: LlamaShape, wave: (angle: number) => number): Generator<Float32Array> {
  const half = shape.headDim / 2;
  const frequencies = Float32Array.from({ length: half }, (_, i) => {
    const power = Math.fround(shape.ropeTheta ** Math.fround((2 * i) / shape.headDim));
    return 1 / power;
  });
  for (let start = 0; start < shape.maxPositions; start += rowsPerBlock) {
    const rows = Math.min(rowsPerBlock, shape.maxPositions - start);
    const table = new Float32Array(rows * half);
    for (let row = 0; row < rows; row++) {
      for (let i = 0; i < half; i++) {
        table[row * half + i] = wave(Math.fround((start + row) * frequencies[i]!));
      }
    }
    yield table;
  }
}
