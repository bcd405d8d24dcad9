import type { TensorLayout } from './tensor-layout.js';

/** No tensor of a language model has more axes; bounds the product of a hostile shape. */
export const maxRank = 16;

/** One tensor as its file describes it. */
export interface TensorEntry {
  readonly name: string;
  /** As safetensors spell it: F32, F16, BF16, I64, … */
  readonly dtype: string;
  readonly dims: readonly number[];
  /** First byte, counted from the start of the file. */
  readonly offset: number;
  /** Bytes of all elements together. */
  readonly bytes: number;
  readonly layout: TensorLayout;
}
