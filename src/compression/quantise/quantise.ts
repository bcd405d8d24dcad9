import type { CacheType, ChannelScales, FloatBuffers, Int8Buffers } from '../../core/cache-buffers.js';

/** Rows of a layer as merging left them. */
export interface RowsToQuantise extends FloatBuffers {
  readonly heads: number;
  readonly headDim: number;
  readonly rows: number;
  readonly capacity: number;
}

/** How rows are stored while an answer is decoded from them. */
export interface Quantise {
  readonly type: Exclude<CacheType, 'float32'>;
  /**
   * @param largest magnitude of every channel over all prompt rows that compression saw, kept or not, for the rows of the
   * answer will be like them
   */
  readonly apply: (rows: RowsToQuantise, largest: ChannelScales) => Int8Buffers;
}
