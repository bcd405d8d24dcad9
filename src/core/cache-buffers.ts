/** Element types of K and V while decoding. */
export type CacheType = 'float32' | 'int8';

/** Factors of int8 rows, one a channel: a value is its integer times the factor of its channel. */
export interface ChannelScales {
  /** [heads, headDim]. */
  readonly keys: Float32Array;
  readonly values: Float32Array;
}

/** K and V of one layer, [heads, capacity, headDim] each. */
export interface FloatBuffers {
  readonly type: 'float32';
  readonly keys: Float32Array;
  readonly values: Float32Array;
}
export interface Int8Buffers {
  readonly type: 'int8';
  readonly keys: Int8Array;
  readonly values: Int8Array;
  readonly scales: ChannelScales;
}
export type CacheBuffers = FloatBuffers | Int8Buffers;

/** The buffers of something that has more than them. */
export function buffersOf(source: CacheBuffers): CacheBuffers {
  return source.type === 'int8'
    ? { type: 'int8', keys: source.keys, values: source.values, scales: source.scales }
    : { type: 'float32', keys: source.keys, values: source.values };
}

interface CacheShape {
  readonly heads: number;
  readonly headDim: number;
}

/** Bytes of K and V of one row of a layer. */
export function rowBytes({ heads, headDim }: CacheShape, type: CacheType): number {
  const element = type === 'int8' ? Int8Array.BYTES_PER_ELEMENT : Float32Array.BYTES_PER_ELEMENT;
  return 2 * heads * headDim * element;
}

/** Bytes of a layer beside its rows: the factors of its channels. */
export function scaleBytes({ heads, headDim }: CacheShape, type: CacheType): number {
  return type === 'int8' ? 2 * heads * headDim * Float32Array.BYTES_PER_ELEMENT : 0;
}

/** Bytes of a layer with so many rows. */
export function cacheBytes(shape: CacheShape, type: CacheType, rows: number): number {
  return rows * rowBytes(shape, type) + scaleBytes(shape, type);
}
