import type { CompressedLayer } from '../compression/compressed-layer.js';
import { type CompressionTools, LayerCompressor } from '../compression/layer-compressor.js';
import type { MethodSet } from '../compression/method-set.js';
import { type Policy, policyNeeds } from '../compression/policy.js';
import type { Decoding } from '../config/protocols.js';
import { unionOfNeeds } from '../core/attention-statistics.js';
import type { DecodeStart, GenerationOptions } from '../engine/decode.js';
import type { LanguageModel } from '../engine/language-model.js';
import { cacheCapacity } from '../engine/layer-cache.js';
import { type PrefilledLayer, prefill } from '../engine/prefill.js';
import { type DecodedGroup, decodeGroups } from './decode-groups.js';
import type { Backbone } from './open-backbone.js';
import type { Cell } from './record.js';
import { shareRows } from './share-rows.js';

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
  /** Logits [vocabSize] before each answer token; cells with identical caches are one, under the first one's name. */
  onLogits?(cell: Cell, logits: Float32Array): void;
}

export interface CellOutcome extends DecodedGroup {
  readonly cell: Cell;
  /** What compression did to each layer; keys and values have been handed on to decoding. */
  readonly layers: readonly CompressedLayer[];
  /** Whether another cell with the same caches was decoded for this one, or this one for another. */
  readonly sharedDecode: boolean;
}

export interface CellsOutcome {
  /** Milliseconds of the one prefill, compression excluded. */
  readonly prefillTime: number;
  /** Milliseconds of compression for all cells together, shared steps once, and those inside ONNX Runtime. */
  readonly compressTime: number;
  readonly runtimeInCompression: number;
  /** Milliseconds of all decode steps. */
  readonly decodeTime: number;
  /** In the order of the cells. */
  readonly outcomes: readonly CellOutcome[];
}

/** The cache of one cell while it is being built. */
interface Fork {
  readonly cell: Cell;
  readonly policy: Policy;
  readonly layers: CompressedLayer[];
}

/**
 * Runs every cell of a prompt from one prefill: each layer is compressed for all cells while its K and V are at hand,
 * then the cells decode one after the other or together, those whose caches are identical in all layers once.
 *
 * Under `firstToken: 'cache'` the last prompt token is left out of the compressed cache, its query out of the
 * scores, and it runs on that cache at its true position to give the first answer token.
 *
 * @throws UserError for a method that does not exist
 */
export async function runCells({
  backbone: { model, nearestKeys, runtime },
  methods,
  prompt,
  seed,
  cells,
  decoding,
  mode = 'alone',
  observer = {},
}: {
  readonly backbone: Pick<Backbone, 'model' | 'nearestKeys' | 'runtime'>;
  readonly methods: MethodSet;
  readonly prompt: PreparedPrompt;
  /** What random methods draw from. */
  readonly seed: number;
  readonly cells: readonly Cell[];
  readonly decoding: GenerationOptions;
  readonly mode?: Decoding;
  readonly observer?: CellObserver;
}): Promise<CellsOutcome> {
  const { layers, kvHeads: heads, headDim } = model.config;
  const { modality } = prompt;
  const tools: CompressionTools = { nearestKeys, capacityFor: cacheCapacity, pool: model.pool };
  const forks = cells.map((cell): Fork => {
    return { cell, policy: methods.policy(cell.method, cell.semantics), layers: [] };
  });
  const lengthFor = ({ firstToken }: Cell): number => modality.length - (firstToken === 'cache' ? 1 : 0);
  let callbackTime = 0;
  let compressTime = 0;
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
      for (const { cell, policy, layers: done } of forks) {
        const begin = performance.now();
        const inRuntime = runtime.milliseconds;
        const compressed = await compressor.compress(policy, cell.budget, lengthFor(cell));
        compressTime += performance.now() - begin;
        runtimeInCompression += runtime.milliseconds - inRuntime;
        done.push(compressed);
        observer.onCompressed?.(cell, layer.layer, compressed);
      }
      compressor.close();
      callbackTime += performance.now() - called;
    },
  });
  const prefillTime = performance.now() - begun - callbackTime;
  const groups = shareRows(forks, ({ cell }) => cell.firstToken, model.pool).map(({ members, take }) => {
    const { cell } = members[0]!;
    const onLogits = observer.onLogits?.bind(observer, cell);
    return { members, take, start: decodeStart(cell, prompt, logits, model), onLogits };
  });
  const { decoded, milliseconds } = await decodeGroups(model, groups, mode, decoding);
  const outcomes = new Map(
    groups.flatMap(({ members }, i) =>
      members.map(({ cell, layers: done }): [Cell, CellOutcome] => {
        return [cell, { cell, layers: done, ...decoded[i]!, sharedDecode: members.length > 1 }];
      }),
    ),
  );
  return {
    prefillTime,
    compressTime,
    runtimeInCompression,
    decodeTime: milliseconds,
    outcomes: cells.map((cell) => outcomes.get(cell)!),
  };
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
