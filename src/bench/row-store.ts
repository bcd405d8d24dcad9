import type { CacheRows } from '../compression/compressed-layer.js';
import { invariant } from '../core/errors.js';
import type { FloatPool } from '../core/float-pool.js';
import type { SpillFile } from './spill-file.js';

/** The rows of a layer without their keys and values, which a store keeps. Equal rows of several cells are one object. */
export type StoredRows = Pick<CacheRows, 'rows' | 'capacity' | 'kept'>;

/** Keys and values to decode on. */
export type TakenRows = Omit<CacheRows, 'kept' | 'merged'>;

type Place =
  | { readonly kind: 'memory'; readonly keys: Float32Array; readonly values: Float32Array }
  /** Both arrays have this length, in floats. */
  | { readonly kind: 'file'; readonly keys: number; readonly values: number; readonly length: number };

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
  async put({ rows, capacity, kept, keys, values }: CacheRows, kind: Place['kind']): Promise<StoredRows> {
    const stored = { rows, capacity, kept };
    if (kind === 'memory') {
      this.#places.set(stored, { kind, keys, values });
      return stored;
    }
    invariant(this.#file !== null, 'rows are put into a file that was not opened');
    const offsets = { keys: await this.#file.append(keys), values: await this.#file.append(values) };
    this.#places.set(stored, { kind, ...offsets, length: keys.length });
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
      const [keys, values] = [this.#pool.take(place.length), this.#pool.take(place.length)];
      await this.#file!.read(place.keys, keys);
      await this.#file!.read(place.values, values);
      return { rows, capacity, keys, values };
    }
    const { keys, values } = place;
    return again
      ? { rows, capacity, keys: this.#copied(keys), values: this.#copied(values) }
      : { rows, capacity, keys, values };
  }

  #copied(source: Float32Array): Float32Array {
    const target = this.#pool.take(source.length);
    target.set(source);
    return target;
  }
}
