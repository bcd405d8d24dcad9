import type { CompressedLayer } from '../compression/compressed-layer.js';
import { type CompressionTools, LayerCompressor } from '../compression/layer-compressor.js';
import type { MethodSet } from '../compression/method-set.js';
import { type Policy, policyNeeds } from '../compression/policy.js';
import { unionOfNeeds } from '../core/attention-statistics.js';
import { cacheCapacity } from '../engine/layer-cache.js';
import { type PrefilledLayer, prefill } from '../engine/prefill.js';
import { compressedLength } from './cache-sizes.js';
import type { Backbone } from './open-backbone.js';
import type { Cell } from './record.js';
import type { RowStore, StoredRows } from './row-store.js';

/** A prompt as the decoder sees it. */
export interface PreparedPrompt {
  /** [length, hiddenSize]. */
  readonly embeddings: Float32Array;
  /** [length], 1 where the position is an image token. */
  readonly modality: Uint8Array;
}

/** Watches a prefill from outside; what it is shown is valid until it returns, kept indices and merge traces longer. */
export interface PrefillObserver {
  onPrefilled?(layer: PrefilledLayer): void;
  onCompressed?(cell: Cell, layer: number, compressed: CompressedLayer): void;
}

/** What compression did to a layer; its keys and values are in the store. */
export interface StoredLayer extends Omit<CompressedLayer, 'cache'> {
  readonly cache: StoredRows;
}

/** The cache of one cell while it is being built. */
export interface Fork {
  readonly cell: Cell;
  readonly policy: Policy;
  readonly layers: StoredLayer[];
}

/** Milliseconds. */
export interface PrefillTimes {
  /** Of the one prefill, compression excluded. */
  readonly prefill: number;
  /** Of compression for all cells together, shared steps once, and what of it is inside ONNX Runtime. */
  readonly compress: number;
  readonly runtimeInCompression: number;
}

/**
 * Prefills a prompt once and compresses every layer for all cells while its K and V are at hand.
 *
 * @param spilled the cells whose rows are put into the store's file; rows that they share with others are, too
 * @throws UserError for a method that does not exist
 */
export async function prefillCells({
  backbone: { model, nearestKeys, channels, runtime },
  methods,
  prompt,
  seed,
  cells,
  spilled,
  store,
  observer,
}: {
  readonly backbone: Pick<Backbone, 'model' | 'nearestKeys' | 'channels' | 'runtime'>;
  readonly methods: MethodSet;
  readonly prompt: PreparedPrompt;
  readonly seed: number;
  readonly cells: readonly Cell[];
  readonly spilled: ReadonlySet<Cell>;
  readonly store: RowStore;
  readonly observer: PrefillObserver;
}): Promise<{
  readonly forks: readonly Fork[];
  /** Of the last token, [vocabSize]. */
  readonly logits: Float32Array;
  readonly times: PrefillTimes;
}> {
  const { layers, kvHeads: heads, headDim } = model.config;
  const { modality } = prompt;
  const tools: CompressionTools = { nearestKeys, channels, capacityFor: cacheCapacity, pool: model.pool };
  const forks = cells.map((cell): Fork => {
    return { cell, policy: methods.policy(cell.method, cell.semantics), layers: [] };
  });
  const lengthFor = (cell: Cell): number => compressedLength(cell, modality.length);
  let callbackTime = 0;
  let compress = 0;
  let runtimeInCompression = 0;
  const begun = performance.now();
  const logits = await prefill(model, prompt.embeddings, {
    needs: (layer) =>
      unionOfNeeds(
        forks.map(({ policy, cell }) =>
          policyNeeds(policy, cell.budget, { layer, layers, heads, headDim, length: lengthFor(cell) }),
        ),
      ),
    onLayer: async (layer) => {
      const called = performance.now();
      observer.onPrefilled?.(layer);
      const compressor = new LayerCompressor({ ...layer, layers, modality, seed }, tools);
      const done: CompressedLayer[] = [];
      for (const { cell, policy } of forks) {
        const begin = performance.now();
        const inRuntime = runtime.milliseconds;
        const compressed = await compressor.compress(policy, cell.budget, lengthFor(cell));
        compress += performance.now() - begin;
        runtimeInCompression += runtime.milliseconds - inRuntime;
        done.push(compressed);
        observer.onCompressed?.(cell, layer.layer, compressed);
      }
      compressor.close();
      await putAway(forks, done, spilled, store);
      callbackTime += performance.now() - called;
    },
  });
  const times = { prefill: performance.now() - begun - callbackTime, compress, runtimeInCompression };
  return { forks, logits, times };
}

/** Moves the rows of a layer into the store, those that cells share once. No cell reads them from here on. */
async function putAway(
  forks: readonly Fork[],
  done: readonly CompressedLayer[],
  spilled: ReadonlySet<Cell>,
  store: RowStore,
): Promise<void> {
  const toFile = new Set(done.filter((_, fork) => spilled.has(forks[fork]!.cell)).map(({ cache }) => cache));
  const stored = new Map<CompressedLayer['cache'], StoredRows>();
  for (const [fork, { cache, ...about }] of done.entries()) {
    const rows = stored.get(cache) ?? (await store.put(cache, toFile.has(cache) ? 'file' : 'memory'));
    stored.set(cache, rows);
    forks[fork]!.layers.push({ ...about, cache: rows });
  }
}
