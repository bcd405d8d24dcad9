import type { BlockSize, MatrixFormat } from '../onnx/stored-matrix.js';

/** Element types of a bundle's matrices, by part. */
export interface WeightFormats {
  /** Decoder layers. */
  readonly layers: MatrixFormat;
  /** The matrix that turns the last hidden state into logits. */
  readonly head: MatrixFormat;
  /** Vision tower and projector. */
  readonly vision: MatrixFormat;
}

export const textDtypes = ['fp32', 'fp16', 'int4'] as const;
export type TextDtype = (typeof textDtypes)[number];
export const visionDtypes = ['fp32', 'fp16', 'int8', 'int4'] as const;
export type VisionDtype = (typeof visionDtypes)[number];

export interface DtypeOptions {
  /** Of the language model. */
  readonly dtype: TextDtype;
  /** Of vision tower and projector; as the language model's, but int8 where that is int4, when left out. */
  readonly visionDtype?: VisionDtype | undefined;
  /** Weights that share a scale, for int4; 32 when left out. */
  readonly blockSize?: BlockSize | undefined;
}

/** int8 loses so little that larger blocks, which are read faster, do not show. */
const int8: MatrixFormat = { dtype: 'int8', blockSize: 128 };

/** Formats of all parts. An int4 bundle keeps the output matrix, which every logit is a row of, as int8. */
export function weightFormats({ dtype, visionDtype, blockSize = 32 }: DtypeOptions): WeightFormats {
  const format = (type: VisionDtype): MatrixFormat => {
    if (type === 'int8') return int8;
    return type === 'int4' ? { dtype: type, blockSize } : { dtype: type };
  };
  const layers = format(dtype);
  const reduced = dtype === 'int4' ? 'int8' : dtype;
  return { layers, head: format(reduced), vision: format(visionDtype ?? reduced) };
}
