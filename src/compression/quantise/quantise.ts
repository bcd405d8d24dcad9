import type { CacheType, ChannelScales, FloatBuffers, Int8Buffers } from '../../core/cache-buffers.js';
import type { FloatPool } from '../../core/float-pool.js';

/** The first `rows` rows of [heads, capacity, headDim]. */
export interface ChannelRows {
  readonly heads: number;
  readonly headDim: number;
  readonly rows: number;
  readonly capacity: number;
  readonly data: Float32Array;
}

/** Arithmetic on all numbers of a layer, which whoever compresses brings: it is nearly all of the time. */
export interface ChannelArithmetic {
  /** The largest magnitude of every channel, [heads, headDim]; 0 without rows. */
  largest(rows: ChannelRows): Promise<Float32Array>;
  /**
   * Numbers times `inverse` of their channel, [heads, headDim], as int8; see `toInt8` of core. Written to `target`,
   * [heads, capacity, headDim], whose other rows stay as they are.
   */
  toInt8(rows: ChannelRows, inverse: Float32Array, target: Int8Array): Promise<void>;
}

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
  readonly apply: (
    rows: RowsToQuantise,
    largest: ChannelScales,
    tools: { readonly channels: ChannelArithmetic; readonly pool: FloatPool },
  ) => Promise<Int8Buffers>;
}
