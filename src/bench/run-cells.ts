import { type CompressionTools, compressLayer } from '../compression/compress-layer.js';
import type { CompressedLayer } from '../compression/compressed-layer.js';
import { methodNamed } from '../compression/registry.js';
import { type DecodeStart, type Generation, type GenerationOptions, generate } from '../engine/decode.js';
import type { LanguageModel } from '../engine/language-model.js';
import { cacheCapacity, LayerCache } from '../engine/layer-cache.js';
import { type PrefilledLayer, prefill } from '../engine/prefill.js';
import type { Backbone } from './open-backbone.js';
import type { Cell } from './record.js';

/** A prompt as the decoder sees it. */
export interface PreparedPrompt {
  /** [length, hiddenSize]. */
  readonly embeddings: Float32Array;
  /** [length], 1 where the position is an image token. */
  readonly modality: Uint8Array;
}

/** Watches a run from outside; what it is shown is valid until it returns, kept indices and merge traces longer. */
export interface CellObserver {
  onPrefilled?(layer: PrefilledLayer): void;
  onCompressed?(cell: Cell, layer: number, compressed: CompressedLayer): void;
  /** Logits [vocabSize] before each answer token. */
  onLogits?(cell: Cell, logits: Float32Array): void;
}

export interface CellOutcome {
  readonly cell: Cell;
  readonly generation: Generation;
  /** Rows of each layer right after compression. */
  readonly rows: readonly number[];
  /** What compression did, layer 0 speaking for all (the release decides by prompt, not by layer). */
  readonly outcome: CompressedLayer['outcome'];
  readonly bytesCompressed: number;
  readonly bytesEnd: number;
  /** Milliseconds. */
  readonly compressTime: number;
}

export interface CellsOutcome {
  /** Milliseconds of the one prefill, compression excluded. */
  readonly prefillTime: number;
  /** Milliseconds that compression spent inside ONNX Runtime. */
  readonly runtimeInCompression: number;
  readonly outcomes: readonly CellOutcome[];
}

/** The cache of one cell while it is being built. */
interface Fork {
  readonly cell: Cell;
  readonly caches: LayerCache[];
  readonly rows: number[];
  outcome: CompressedLayer['outcome'];
  compressTime: number;
}

/**
 * Runs every cell of a prompt from one prefill: each layer is compressed once per cell while its K and V are at
 * hand, then the cells decode one after the other.
 *
 * Under `firstToken: 'cache'` the last prompt token is left out of the compressed cache, its query out of the
 * scores, and it runs on that cache at its true position to give the first answer token.
 *
 * @throws UserError for a method that does not exist
 */
export async function runCells(
  backbone: Pick<Backbone, 'model' | 'nearestKeys' | 'runtime'>,
  prompt: PreparedPrompt,
  cells: readonly Cell[],
  decoding: GenerationOptions,
  observer: CellObserver = {},
): Promise<CellsOutcome> {
  const { model, nearestKeys, runtime } = backbone;
  const tools: CompressionTools = { nearestKeys, capacityFor: cacheCapacity, pool: model.pool };
  const forks = cells.map(
    (cell): Fork => ({ cell, caches: [], rows: [], outcome: { kind: 'compressed' }, compressTime: 0 }),
  );
  let callbackTime = 0;
  let runtimeInCompression = 0;
  const begun = performance.now();
  const logits = await prefill(model, prompt.embeddings, async (layer) => {
    const called = performance.now();
    observer.onPrefilled?.(layer);
    for (const fork of forks) {
      const begin = performance.now();
      const inRuntime = runtime.milliseconds;
      const compressed = await compressForCell(layer, fork.cell, prompt.modality, tools);
      fork.compressTime += performance.now() - begin;
      runtimeInCompression += runtime.milliseconds - inRuntime;
      if (layer.layer === 0) fork.outcome = compressed.outcome;
      fork.rows.push(compressed.rows);
      fork.caches.push(new LayerCache({ heads: layer.heads, headDim: layer.headDim, ...compressed }));
      observer.onCompressed?.(fork.cell, layer.layer, compressed);
    }
    callbackTime += performance.now() - called;
  });
  const prefillTime = performance.now() - begun - callbackTime;
  const outcomes: CellOutcome[] = [];
  for (const fork of forks) {
    const bytesCompressed = liveBytes(fork.caches);
    const { cell } = fork;
    const onLogits = observer.onLogits?.bind(observer, cell);
    const start = decodeStart(cell, prompt, logits, model);
    const generation = await generate(model, fork.caches, start, decoding, onLogits);
    const { rows, outcome } = fork;
    const bytesEnd = liveBytes(fork.caches);
    for (const cache of fork.caches.splice(0)) {
      model.pool.give(cache.keys);
      model.pool.give(cache.values);
    }
    outcomes.push({
      cell,
      generation,
      rows,
      outcome,
      bytesCompressed,
      bytesEnd,
      compressTime: fork.compressTime,
    });
  }
  return { prefillTime, runtimeInCompression, outcomes };
}

function compressForCell(
  layer: PrefilledLayer,
  cell: Cell,
  modality: Uint8Array,
  tools: CompressionTools,
): Promise<CompressedLayer> {
  const length = cell.firstToken === 'cache' ? layer.length - 1 : layer.length;
  const method = methodNamed(cell.method);
  return compressLayer(
    { ...layer, length, modality },
    method,
    cell.budget ?? { recent: 0, important: 0 },
    tools,
  );
}

function decodeStart(
  cell: Cell,
  prompt: PreparedPrompt,
  logits: Float32Array,
  model: LanguageModel,
): DecodeStart {
  const length = prompt.modality.length;
  if (cell.firstToken === 'prefill') return { kind: 'logits', logits, nextPosition: length };
  const embedding = prompt.embeddings.subarray((length - 1) * model.config.hiddenSize);
  return { kind: 'token', embedding, position: length - 1 };
}

function liveBytes(caches: readonly LayerCache[]): number {
  return caches.reduce((total, cache) => total + cache.liveBytes, 0);
}
