import { type CacheBuffers, type CacheType, cacheBytes } from '../core/cache-buffers.js';
import { inverseScales, toInt8 } from '../core/int8-rounding.js';
import { floatData, floats, int8s, int32s } from './runtime.js';
import { persist, type Tensor } from './sessions.js';

/** Rows are allocated in blocks, so that a decode step rarely copies and never by the whole context. */
const blockRows = 64;

/** Additive mask of a row that holds nothing. */
const masked = -1e30;

/** Rows to allocate for a layer that starts decoding with `rows` and will append to them. */
export function cacheCapacity(rows: number): number {
  return Math.ceil((rows + 1) / blockRows) * blockRows;
}

/** The factors of int8 rows as kernels take them. */
export interface ScaleFeeds {
  /** [n, heads, 1, headDim]: what query and attention are multiplied with, to make up for rows that are not. */
  readonly keys: Tensor;
  readonly values: Tensor;
  /** [n, 1, heads * headDim]: what new rows are multiplied with before they are rounded. */
  readonly inverseKeys: Tensor;
  readonly inverseValues: Tensor;
}

/** What decode attention reads of the caches of n sequences. */
export interface CacheFeeds {
  /** [n, heads, capacity, headDim]. */
  readonly keys: Tensor;
  readonly values: Tensor;
  /** `null` for float32 rows. */
  readonly scales: ScaleFeeds | null;
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
  /** Keys and values are [sequences, heads, capacity, headDim], factors [sequences, heads, headDim]. */
  buffers: CacheBuffers;
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
    readonly heads: number;
    readonly headDim: number;
    readonly rows: number | readonly number[];
    readonly capacity: number;
    readonly buffers: CacheBuffers;
  }) {
    const { capacity, rows } = options;
    this.heads = options.heads;
    this.headDim = options.headDim;
    this.used = Int32Array.from(typeof rows === 'number' ? [rows] : rows);
    this.capacity = capacity;
    this.buffers = options.buffers;
    this.mask = this.#maskOf(capacity);
    this.#lastRows = this.#lastUsed();
    this.#mostRows = Int32Array.of(Math.max(...this.used));
  }

  get type(): CacheType {
    return this.buffers.type;
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
    const { heads, capacity, headDim, sequences, buffers } = this;
    const dims = [sequences, heads, capacity, headDim];
    const tensor = (rows: Float32Array | Int8Array): Tensor =>
      persist(rows instanceof Int8Array ? int8s(rows, dims) : floats(rows, dims));
    this.#feeds ??= {
      keys: tensor(buffers.keys),
      values: tensor(buffers.values),
      scales: this.#scaleFeeds(),
      mask: persist(floats(this.mask, [sequences, 1, 1, capacity])),
      lastRows: persist(int32s(this.#lastRows, [sequences])),
      mostRows: persist(int32s(this.#mostRows, [1])),
    };
    return this.#feeds;
  }

  /** Bytes of K and V of a sequence: used rows, and the factors of int8 rows. */
  liveBytes(sequence = 0): number {
    return cacheBytes(this, this.type, this.used[sequence]!);
  }

  /** Bytes of K and V that the buffers have room for, of a sequence. */
  allocatedBytes(): number {
    return cacheBytes(this, this.type, this.capacity);
  }

  /** Adds one row to a sequence: [heads * headDim] numbers of `key` and `value` from number `first` on. */
  append(key: Float32Array, value: Float32Array, sequence = 0, first = 0): void {
    const row = this.reserve(sequence);
    const { heads, headDim, capacity, buffers } = this;
    const scales = this.feeds.scales;
    for (let head = 0; head < heads; head++) {
      const to = ((sequence * heads + head) * capacity + row) * headDim;
      const from = first + head * headDim;
      if (scales === null) {
        for (let d = 0; d < headDim; d++) {
          buffers.keys[to + d] = key[from + d]!;
          buffers.values[to + d] = value[from + d]!;
        }
        continue;
      }
      const channel = (sequence * heads + head) * headDim;
      const [keyInverse, valueInverse] = [floatData(scales.inverseKeys), floatData(scales.inverseValues)];
      for (let d = 0; d < headDim; d++) {
        buffers.keys[to + d] = toInt8(key[from + d]!, keyInverse[channel + d]!);
        buffers.values[to + d] = toInt8(value[from + d]!, valueInverse[channel + d]!);
      }
    }
  }

  /** Sets a cache of one sequence back to its first `rows` rows. */
  rewind(rows: number): void {
    this.mask.fill(masked, rows, this.used[0]!);
    this.used[0] = rows;
    this.#lastRows[0] = Math.max(0, rows - 1);
    this.#mostRows[0] = rows;
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
    this.buffers = mapBuffers(this.buffers, {
      rows: (rows) => kept(rows, sequences, each),
      scales: (scales) => kept(scales, sequences, heads * headDim),
    });
    this.used = Int32Array.from(sequences, (sequence) => this.used[sequence]!);
    this.mask = this.#maskOf(capacity);
    this.#lastRows = this.#lastUsed();
    this.#mostRows[0] = Math.max(...this.used);
    this.#feeds = null;
  }

  #grow(): void {
    const capacity = this.capacity + blockRows;
    this.buffers = mapBuffers(this.buffers, { rows: (rows) => this.#widened(rows, capacity) });
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

  #scaleFeeds(): ScaleFeeds | null {
    const { heads, headDim, sequences, buffers } = this;
    if (buffers.type === 'float32') return null;
    const { keys, values } = buffers.scales;
    const outside = (scales: Float32Array): Tensor => persist(floats(scales, [sequences, heads, 1, headDim]));
    const inverse = (scales: Float32Array): Tensor =>
      persist(floats(inverseScales(scales), [sequences, 1, heads * headDim]));
    return {
      ...{ keys: outside(keys), values: outside(values) },
      ...{ inverseKeys: inverse(keys), inverseValues: inverse(values) },
    };
  }

  #widened<Rows extends Float32Array | Int8Array>(buffer: Rows, capacity: number): Rows {
    const used = this.capacity * this.headDim;
    const blocks = this.used.length * this.heads;
    const wider = emptyLike(buffer, blocks * capacity * this.headDim);
    for (let block = 0; block < blocks; block++) {
      wider.set(buffer.subarray(block * used, (block + 1) * used), block * capacity * this.headDim);
    }
    return wider;
  }
}

/** The parts of sequences that stay, moved up to the front. @param each numbers of a sequence */
function kept<Numbers extends Float32Array | Int8Array>(
  numbers: Numbers,
  sequences: readonly number[],
  each: number,
): Numbers {
  for (const [to, from] of sequences.entries()) numbers.copyWithin(to * each, from * each, (from + 1) * each);
  return numbers.subarray(0, sequences.length * each) as Numbers;
}

function emptyLike<Rows extends Float32Array | Int8Array>(rows: Rows, length: number): Rows {
  return (rows instanceof Int8Array ? new Int8Array(length) : new Float32Array(length)) as Rows;
}

/** Buffers with rows, and factors where there are any, made anew. */
export function mapBuffers(
  buffers: CacheBuffers,
  {
    rows,
    scales = (same) => same,
  }: {
    readonly rows: <Rows extends Float32Array | Int8Array>(rows: Rows) => Rows;
    readonly scales?: (scales: Float32Array) => Float32Array;
  },
): CacheBuffers {
  if (buffers.type === 'float32') {
    return { type: buffers.type, keys: rows(buffers.keys), values: rows(buffers.values) };
  }
  const { keys, values } = buffers.scales;
  return {
    ...{ type: buffers.type, keys: rows(buffers.keys), values: rows(buffers.values) },
    scales: { keys: scales(keys), values: scales(values) },
  };
}
