import type { CompressedLayer } from '../compression/compressed-layer.js';
import { buffersOf, type CacheBuffers } from '../core/cache-buffers.js';
import { invariant } from '../core/errors.js';
import type { FloatPool } from '../core/float-pool.js';
import type { SpillFile } from './spill-file.js';

type CompressedRows = CompressedLayer['cache'];

/** The rows of a layer without their keys and values, which a store keeps. Equal rows of several cells are one object. */
export type StoredRows = Pick<CompressedRows, 'rows' | 'capacity' | 'kept' | 'type'>;

/** Keys and values to decode on. */
export type TakenRows = Pick<CompressedRows, 'rows' | 'capacity'> & CacheBuffers;

/** Buffers without their numbers: as many of them, and what is too little to be worth a file. */
type EmptyBuffers =
  | { readonly type: 'float32' }
  | { readonly type: 'int8'; readonly scales: Extract<CacheBuffers, { type: 'int8' }>['scales'] };

type Place =
  | { readonly kind: 'memory'; readonly buffers: CacheBuffers }
  /** Both arrays have this length. */
  | {
      readonly kind: 'file';
      readonly keys: number;
      readonly values: number;
      readonly length: number;
      readonly empty: EmptyBuffers;
    };

/** Keeps keys and values from compression to decoding, in memory or in a file. */
export class RowStore {
  readonly #pool: FloatPool;
  readonly #file: SpillFile | null;
  readonly #places = new Map<StoredRows, Place>();

  constructor(pool: FloatPool, file: SpillFile | null) {
    this.#pool = pool;
    this.#file = file;
  }

  /** Takes the arrays over. */
  async put(cache: CompressedRows, kind: Place['kind']): Promise<StoredRows> {
    const { rows, capacity, kept, type, keys, values } = cache;
    const stored: StoredRows = { rows, capacity, kept, type };
    const buffers = buffersOf(cache);
    if (kind === 'memory') {
      this.#places.set(stored, { kind, buffers });
      return stored;
    }
    invariant(this.#file !== null, 'rows are put into a file that was not opened');
    const offsets = { keys: await this.#file.append(keys), values: await this.#file.append(values) };
    this.#places.set(stored, { kind, ...offsets, length: keys.length, empty: withoutRows(buffers) });
    this.#pool.give(keys);
    this.#pool.give(values);
    return stored;
  }

  /** Arrays of the caller's own. @param again whether the same rows will be taken once more */
  async take(stored: StoredRows, again: boolean): Promise<TakenRows> {
    const place = this.#places.get(stored);
    invariant(place !== undefined, 'rows are taken that the store does not hold');
    if (!again) this.#places.delete(stored);
    const { rows, capacity } = stored;
    if (place.kind === 'file') {
      const buffers = this.#newBuffers(place.empty, place.length);
      await this.#file!.read(place.keys, buffers.keys);
      await this.#file!.read(place.values, buffers.values);
      return { rows, capacity, ...buffers };
    }
    return { rows, capacity, ...(again ? this.#copied(place.buffers) : place.buffers) };
  }

  #newBuffers(empty: EmptyBuffers, length: number): CacheBuffers {
    return empty.type === 'int8'
      ? { ...empty, keys: this.#pool.takeInt8(length), values: this.#pool.takeInt8(length) }
      : { ...empty, keys: this.#pool.take(length), values: this.#pool.take(length) };
  }

  #copied(source: CacheBuffers): CacheBuffers {
    const copy = this.#newBuffers(withoutRows(source), source.keys.length);
    copy.keys.set(source.keys);
    copy.values.set(source.values);
    return copy;
  }
}

function withoutRows(buffers: CacheBuffers): EmptyBuffers {
  return buffers.type === 'int8' ? { type: 'int8', scales: buffers.scales } : { type: 'float32' };
}
