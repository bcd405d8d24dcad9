import type { MethodSet } from '../compression/method-set.js';
import type { Decoding } from '../config/protocols.js';
import type { DecodeStart, GenerationOptions } from '../engine/decode.js';
import type { LanguageModel } from '../engine/language-model.js';
import { type CachePass, type CachePlan, inMemory } from './cache-plan.js';
import { decodingBytes } from './cache-sizes.js';
import { type DecodedGroup, type DecodeGroup, decodeGroups } from './decode-groups.js';
import type { Backbone } from './open-backbone.js';
import {
  type Fork,
  type PrefillObserver,
  type PrefillTimes,
  type PreparedPrompt,
  prefillCells,
  type StoredLayer,
} from './prefill-cells.js';
import type { Cell } from './record.js';
import { RowStore } from './row-store.js';
import { shareRows } from './share-rows.js';
import type { SpillFile } from './spill-file.js';

/** Watches a run from outside. */
export interface CellObserver extends PrefillObserver {
  /** Logits [vocabSize] before each answer token; cells with identical caches are one, under the first one's name. */
  onLogits?(cell: Cell, logits: Float32Array): void;
}

export interface CellOutcome extends DecodedGroup {
  readonly cell: Cell;
  /** What compression did to each layer. */
  readonly layers: readonly StoredLayer[];
  /** Whether another cell with the same caches was decoded for this one, or this one for another. */
  readonly sharedDecode: boolean;
  /** Milliseconds of the prefill it comes from. */
  readonly prefillTime: number;
}

export interface CellsOutcome {
  /** Milliseconds, all prefills of the prompt together; `decode`: of all decode steps. */
  readonly times: PrefillTimes & { readonly decode: number };
  /** In the order of the cells. */
  readonly outcomes: readonly CellOutcome[];
}

/** Where the caches are kept between prefill and decoding, and how much of them may be in memory. */
export interface CacheRoom {
  readonly plan: CachePlan;
  /** For the cells that the plan spills. */
  readonly file: SpillFile | null;
  /** Bytes of caches that may decode together. */
  readonly limit: number;
}

interface Run {
  readonly backbone: Pick<Backbone, 'model' | 'nearestKeys' | 'channels' | 'runtime'>;
  readonly methods: MethodSet;
  readonly prompt: PreparedPrompt;
  /** What random methods draw from. */
  readonly seed: number;
  readonly cells: readonly Cell[];
  readonly decoding: GenerationOptions;
  readonly mode?: Decoding;
  readonly observer?: CellObserver;
  /** Everything in memory where left out. */
  readonly room?: CacheRoom;
}

/**
 * Runs every cell of a prompt, from one prefill unless the room for caches wants more: each layer is compressed for all
 * cells while its K and V are at hand, then the cells decode one after the other or together, those whose caches are
 * identical in all layers once. Answers do not depend on the room.
 *
 * Under `firstToken: 'cache'` the last prompt token is left out of the compressed cache, its query out of the
 * scores, and it runs on that cache at its true position to give the first answer token.
 *
 * @throws UserError for a method that does not exist
 */
export async function runCells(run: Run): Promise<CellsOutcome> {
  const { cells, room = { plan: inMemory(cells.length), file: null, limit: Number.POSITIVE_INFINITY } } = run;
  const times = { prefill: 0, compress: 0, runtimeInCompression: 0, decode: 0 };
  const outcomes = new Map<Cell, CellOutcome>();
  for (const pass of room.plan.passes) {
    const done = await runPass(run, room, pass).finally(() => room.file?.clear());
    times.prefill += done.times.prefill;
    times.compress += done.times.compress;
    times.runtimeInCompression += done.times.runtimeInCompression;
    times.decode += done.times.decode;
    for (const outcome of done.outcomes) outcomes.set(outcome.cell, outcome);
  }
  return { times, outcomes: cells.map((cell) => outcomes.get(cell)!) };
}

async function runPass(run: Run, { file, limit }: CacheRoom, pass: CachePass): Promise<CellsOutcome> {
  const { backbone, prompt, decoding, mode = 'alone', observer = {} } = run;
  const { model } = backbone;
  // What lies in memory decodes first, so that there is room for what comes from the file.
  const order = [...pass.cells].sort((a, b) => Number(pass.spilled.has(a)) - Number(pass.spilled.has(b)));
  const cells = order.map((cell) => run.cells[cell]!);
  const spilled = new Set([...pass.spilled].map((cell) => run.cells[cell]!));
  const store = new RowStore(model.pool, file);
  const { forks, logits, times } = await prefillCells({ ...run, cells, spilled, store, observer });
  const shared = shareRows(forks, ({ cell }) => cell.firstToken, store);
  const groups = shared.map(({ members, take }): DecodeGroup => {
    const { cell, layers } = members[0]!;
    const onLogits = observer.onLogits?.bind(observer, cell);
    const bytes = decodingBytes(model.config, layers, decoding.maxNewTokens);
    return { take, bytes, start: decodeStart(cell, prompt, logits, model), onLogits };
  });
  const options = { mode, limit, options: decoding };
  const { decoded, milliseconds } = await decodeGroups(model, groups, options);
  const outcomeOf = ({ cell, layers }: Fork, group: number): CellOutcome => {
    const sharedDecode = shared[group]!.members.length > 1;
    return { cell, layers, ...decoded[group]!, sharedDecode, prefillTime: times.prefill };
  };
  return {
    times: { ...times, decode: milliseconds },
    outcomes: shared.flatMap(({ members }, group) => members.map((fork) => outcomeOf(fork, group))),
  };
}

/** How the answer of a cell starts. @param logits of the last prompt token, [vocabSize] */
export function decodeStart(
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
