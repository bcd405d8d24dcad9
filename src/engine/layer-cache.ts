import { floats, int32s } from './runtime.js';
import { persist, type Tensor } from './sessions.js';

/** Rows are allocated in blocks, so that a decode step rarely copies and never by the whole context. */
const blockRows = 64;

/** Additive mask of a row that holds nothing. */
const masked = -1e30;

/** Rows to allocate for a layer that starts decoding with `rows` and will append to them. */
export function cacheCapacity(rows: number): number {
  return Math.ceil((rows + 1) / blockRows) * blockRows;
}

/** What decode attention reads of the caches of n sequences. */
export interface CacheFeeds {
  /** [n, heads, capacity, headDim]. */
  readonly keys: Tensor;
  readonly values: Tensor;
  /** [n, 1, 1, capacity]. */
  readonly mask: Tensor;
  /** [n]: index of the last used row, as int32. */
  readonly lastRows: Tensor;
  /** [1]: used rows of the longest cache, as int32. */
  readonly mostRows: Tensor;
}

/** The growing K/V caches of one layer during decode, of one sequence or several of equal capacity, owned by JavaScript. */
export class LayerCache {
  readonly heads: number;
  readonly headDim: number;
  /** [sequences, heads, capacity, headDim]. */
  keys: Float32Array;
  values: Float32Array;
  /** [sequences, capacity]: 0 for used rows, a large negative number for the rest. */
  mask: Float32Array;
  /** [sequences]: rows in use. */
  used: Int32Array;
  capacity: number;
  #feeds: CacheFeeds | null = null;
  /** [sequences] and [1]; see `CacheFeeds`. */
  #lastRows: Int32Array;
  readonly #mostRows: Int32Array;

  /** Takes over the buffers. `rows`: those in use, of each sequence. */
  constructor(options: {
    heads: number;
    headDim: number;
    rows: number | readonly number[];
    capacity: number;
    keys: Float32Array;
    values: Float32Array;
  }) {
    const { capacity, rows } = options;
    this.heads = options.heads;
    this.headDim = options.headDim;
    this.used = Int32Array.from(typeof rows === 'number' ? [rows] : rows);
    this.capacity = capacity;
    this.keys = options.keys;
    this.values = options.values;
    this.mask = this.#maskOf(capacity);
    this.#lastRows = this.#lastUsed();
    this.#mostRows = Int32Array.of(Math.max(...this.used));
  }

  get sequences(): number {
    return this.used.length;
  }

  /** Rows in use of the first sequence. */
  get rows(): number {
    return this.used[0]!;
  }

  /** The buffers as tensors; they see every row appended. */
  get feeds(): CacheFeeds {
    const { heads, capacity, headDim, sequences } = this;
    this.#feeds ??= {
      keys: persist(floats(this.keys, [sequences, heads, capacity, headDim])),
      values: persist(floats(this.values, [sequences, heads, capacity, headDim])),
      mask: persist(floats(this.mask, [sequences, 1, 1, capacity])),
      lastRows: persist(int32s(this.#lastRows, [sequences])),
      mostRows: persist(int32s(this.#mostRows, [1])),
    };
    return this.#feeds;
  }

  /** Bytes of the used rows of K and V of a sequence. */
  liveBytes(sequence = 0): number {
    return 2 * this.heads * this.used[sequence]! * this.headDim * Float32Array.BYTES_PER_ELEMENT;
  }

  /** Bytes of K and V of all rows that the buffers have room for, of a sequence. */
  allocatedBytes(): number {
    return 2 * this.heads * this.capacity * this.headDim * Float32Array.BYTES_PER_ELEMENT;
  }

  /** Sets a cache of one sequence back to its first `rows` rows. */
  rewind(rows: number): void {
    this.mask.fill(masked, rows, this.used[0]!);
    this.used[0] = rows;
    this.#lastRows[0] = Math.max(0, rows - 1);
    this.#mostRows[0] = rows;
  }

  /** Adds one row to a sequence: [heads * headDim] numbers of `key` and `value` from number `first` on. */
  append(key: Float32Array, value: Float32Array, sequence = 0, first = 0): void {
    const row = this.reserve(sequence);
    const { heads, headDim, capacity, keys, values } = this;
    for (let head = 0; head < heads; head++) {
      const to = ((sequence * heads + head) * capacity + row) * headDim;
      const from = first + head * headDim;
      for (let d = 0; d < headDim; d++) {
        keys[to + d] = key[from + d]!;
        values[to + d] = value[from + d]!;
      }
    }
  }

  /** Adds a row of no content to a sequence, for a kernel to fill; its index. */
  reserve(sequence: number): number {
    const row = this.used[sequence]!;
    if (row === this.capacity) this.#grow();
    this.mask[sequence * this.capacity + row] = 0;
    this.used[sequence] = row + 1;
    this.#lastRows[sequence] = row;
    this.#mostRows[0] = Math.max(this.#mostRows[0]!, row + 1);
    return row;
  }

  /** Forgets all sequences but these, given in ascending order; they move up in the buffers. */
  keep(sequences: readonly number[]): void {
    const { heads, headDim, capacity } = this;
    const each = heads * capacity * headDim;
    for (const [to, from] of sequences.entries()) {
      this.keys.copyWithin(to * each, from * each, (from + 1) * each);
      this.values.copyWithin(to * each, from * each, (from + 1) * each);
    }
    this.keys = this.keys.subarray(0, sequences.length * each);
    this.values = this.values.subarray(0, sequences.length * each);
    this.used = Int32Array.from(sequences, (sequence) => this.used[sequence]!);
    this.mask = this.#maskOf(capacity);
    this.#lastRows = this.#lastUsed();
    this.#mostRows[0] = Math.max(...this.used);
    this.#feeds = null;
  }

  #grow(): void {
    const capacity = this.capacity + blockRows;
    this.keys = this.#widened(this.keys, capacity);
    this.values = this.#widened(this.values, capacity);
    this.mask = this.#maskOf(capacity);
    this.capacity = capacity;
    this.#feeds = null;
  }

  /** An empty cache has no last row; kernels are not run on one, but for sequences whose result is not used. */
  #lastUsed(): Int32Array {
    return this.used.map((rows) => Math.max(0, rows - 1));
  }

  #maskOf(capacity: number): Float32Array {
    const mask = new Float32Array(this.used.length * capacity);
    for (const [sequence, rows] of this.used.entries()) {
      mask.fill(masked, sequence * capacity + rows, (sequence + 1) * capacity);
    }
    return mask;
  }

  #widened(buffer: Float32Array, capacity: number): Float32Array {
    const used = this.capacity * this.headDim;
    const blocks = this.used.length * this.heads;
    const wider = new Float32Array(blocks * capacity * this.headDim);
    for (let block = 0; block < blocks; block++) {
      wider.set(buffer.subarray(block * used, (block + 1) * used), block * capacity * this.headDim);
    }
    return wider;
  }
}
