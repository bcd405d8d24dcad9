import type { TextConfig } from '../backbone/bundle-manifest.js';
import type { StoredLayer } from '../bench/prefill-cells.js';
import type { RowStore } from '../bench/row-store.js';
import { LayerCache } from '../engine/layer-cache.js';

/** Rows and bytes, a value a layer. */
export interface CacheUse {
  readonly rows: number[];
  readonly bytes: number[];
}

/** The cache of a cell in memory, which can be decoded on again and again from the same state. */
export class LoadedCache {
  readonly layers: readonly LayerCache[];
  readonly #rows: readonly number[];

  private constructor(layers: readonly LayerCache[]) {
    this.layers = layers;
    this.#rows = layers.map(({ rows }) => rows);
  }

  /** Buffers of its own, with the rows that compression left. @param again whether they will be loaded once more */
  static async load(
    { kvHeads: heads, headDim }: Pick<TextConfig, 'kvHeads' | 'headDim'>,
    stored: readonly StoredLayer[],
    { store, again }: { readonly store: RowStore; readonly again: boolean },
  ): Promise<LoadedCache> {
    const layers: LayerCache[] = [];
    for (const { cache } of stored) {
      const { rows, capacity, ...buffers } = await store.take(cache, again);
      layers.push(new LayerCache({ heads, headDim, rows, capacity, buffers }));
    }
    return new LoadedCache(layers);
  }

  /** Forgets the rows that decoding has added. */
  rewind(): void {
    for (const [layer, cache] of this.layers.entries()) cache.rewind(this.#rows[layer]!);
  }

  /** What is in use. */
  get used(): CacheUse {
    return {
      rows: this.layers.map(({ rows }) => rows),
      bytes: this.layers.map((cache) => cache.liveBytes()),
    };
  }

  /** What the buffers have room for. */
  get allocated(): CacheUse {
    return {
      rows: this.layers.map(({ capacity }) => capacity),
      bytes: this.layers.map((cache) => cache.allocatedBytes()),
    };
  }
}
