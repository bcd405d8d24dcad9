/** Element types that can be read as numbers. */
export const floatDtypes = ['F32', 'F16', 'BF16'] as const;
export type FloatDtype = (typeof floatDtypes)[number];

/** Tensors are streamed in blocks of at most this size, so that memory does not grow with the checkpoint. */
export const blockBytes = 4 * 1024 * 1024;

/** Where the values of tensors come from, by name. An array may be reused: it is valid until the next one. */
export interface TensorSource {
  /** A tensor's bytes in its own element type, little-endian and row-major, in blocks of `blockBytes` or less. */
  blocks(name: string): AsyncIterable<Uint8Array>;
  /**
   * As `blocks`, widened to float32 without loss.
   *
   * @throws UserError when the tensor is of no type in `floatDtypes`
   */
  floatBlocks(name: string): AsyncIterable<Float32Array>;
}
