import { floats, type Tensor } from './runtime.js';

/** Rows are allocated in blocks, so that a decode step rarely copies and never by the whole context. */
const blockRows = 64;

/** Additive mask of a row that holds nothing. */
const masked = -1e30;

/** Rows to allocate for a layer that starts decoding with `rows` and will append to them. */
export function cacheCapacity(rows: number): number {
  return Math.ceil((rows + 1) / blockRows) * blockRows;
}

/** What decode attention reads of a cache. */
export interface CacheFeeds {
  readonly keys: Tensor;
  readonly values: Tensor;
  readonly mask: Tensor;
}

/** The growing K/V cache of one layer during decode, owned by JavaScript. */
export class LayerCache {
  readonly heads: number;
  readonly headDim: number;
  /** [heads, capacity, headDim]. */
  keys: Float32Array;
  values: Float32Array;
  /** [capacity]: 0 for used rows, a large negative number for the rest. */
  mask: Float32Array;
  rows: number;
  capacity: number;
  #feeds: CacheFeeds | null = null;

  /** Takes over the buffers; `capacity` must leave them consistent with `heads` and `headDim`. */
  constructor(options: {
    heads: number;
    headDim: number;
    rows: number;
    capacity: number;
    keys: Float32Array;
    values: Float32Array;
  }) {
    this.heads = options.heads;
    this.headDim = options.headDim;
    this.rows = options.rows;
    this.capacity = options.capacity;
    this.keys = options.keys;
    this.values = options.values;
    this.mask = new Float32Array(options.capacity).fill(masked, options.rows);
  }

  /** The buffers as tensors [heads, capacity, headDim] and [1, capacity]; they see every row appended. */
  get feeds(): CacheFeeds {
    const { heads, capacity, headDim } = this;
    this.#feeds ??= {
      keys: floats(this.keys, [heads, capacity, headDim]),
      values: floats(this.values, [heads, capacity, headDim]),
      mask: floats(this.mask, [1, capacity]),
    };
    return this.#feeds;
  }

  /** Bytes of the used rows of K and V. */
  get liveBytes(): number {
    return 2 * this.heads * this.rows * this.headDim * Float32Array.BYTES_PER_ELEMENT;
  }

  /** Adds one row; `key` and `value` are [heads * headDim]. */
  append(key: Float32Array, value: Float32Array): void {
    if (this.rows === this.capacity) this.#grow();
    const { heads, headDim, capacity, rows, keys, values } = this;
    for (let head = 0; head < heads; head++) {
      const to = (head * capacity + rows) * headDim;
      const from = head * headDim;
      for (let d = 0; d < headDim; d++) {
        keys[to + d] = key[from + d]!;
        values[to + d] = value[from + d]!;
      }
    }
    this.mask[rows] = 0;
    this.rows++;
  }

  #grow(): void {
    const capacity = this.capacity + blockRows;
    this.keys = this.#widened(this.keys, capacity);
    this.values = this.#widened(this.values, capacity);
    this.#feeds = null;
    const mask = new Float32Array(capacity).fill(masked);
    mask.set(this.mask);
    this.mask = mask;
    this.capacity = capacity;
  }

  #widened(buffer: Float32Array, capacity: number): Float32Array {
    const used = this.capacity * this.headDim;
    const wider = new Float32Array(this.heads * capacity * this.headDim);
    for (let head = 0; head < this.heads; head++) {
      wider.set(buffer.subarray(head * used, (head + 1) * used), head * capacity * this.headDim);
    }
    return wider;
  }
}
