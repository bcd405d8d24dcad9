/** One tensor as its file describes it. */
export interface TensorEntry {
  readonly name: string;
  /** As safetensors spell it: F32, F16, BF16, I64, … */
  readonly dtype: string;
  readonly dims: readonly number[];
  /** First byte, counted from the start of the file. */
  readonly offset: number;
  readonly bytes: number;
}
