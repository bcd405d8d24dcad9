import { type CacheBuffers, rowBytes } from '../core/cache-buffers.js';
import { groupBy } from '../core/group-by.js';
import type { Projections } from './chunk-rows.js';
import {
  Answer,
  type DecodeStart,
  firstPosition,
  type Generation,
  type GenerationOptions,
} from './decode.js';
import type { PlacedToken } from './decoder-pass.js';
import { joinBuffers } from './join-buffers.js';
import type { LanguageModel } from './language-model.js';
import { LayerCache } from './layer-cache.js';
import { floatData, floats, type Tensor } from './runtime.js';
import { persist } from './sessions.js';

/** The rows of a layer that an answer starts from. */
export type StartingRows = { readonly rows: number; readonly capacity: number } & CacheBuffers;

/** One answer among those decoded together. */
export interface Sequence {
  /** Gives up the rows of a layer; asked for once, layer by layer. */
  take(layer: number): Promise<StartingRows>;
  readonly start: DecodeStart;
  /** Sees the logits [vocabSize] each token is chosen from. */
  readonly onLogits?: ((logits: Float32Array) => void) | undefined;
}

/** Sequences of one layer whose caches have one capacity and element type, in one buffer: attention is one product for all of them. */
interface Batch {
  readonly cache: LayerCache;
  /** Numbers of the sequences, in the order of the buffer; those that are complete leave now and then. */
  sequences: readonly number[];
  tensors: BatchTensors;
}

/** Rows of the sequences of a batch, [sequences, 1, width]. */
type BatchTensors = Readonly<Record<'query' | 'key' | 'value' | 'attention', Tensor>>;

function newBatchTensors(
  { heads, kvHeads, headDim }: LanguageModel['config'],
  sequences: number,
): BatchTensors {
  const rows = (width: number): Tensor =>
    persist(floats(new Float32Array(sequences * width), [sequences, 1, width]));
  return {
    query: rows(heads * headDim),
    key: rows(kvHeads * headDim),
    value: rows(kvHeads * headDim),
    attention: rows(heads * headDim),
  };
}

/** Moves the rows of a layer into batches; what sequences gave up goes to the pool, so that no layer is there twice. */
async function openBatches(
  model: LanguageModel,
  layer: number,
  sequences: readonly Sequence[],
): Promise<Batch[]> {
  const { kvHeads: heads, headDim } = model.config;
  const taken: (StartingRows & { readonly sequence: number })[] = [];
  for (const [sequence, { take }] of sequences.entries()) {
    taken.push({ sequence, ...(await take(layer)) });
  }
  return [...groupBy(taken, ({ capacity, type }) => `${type} ${capacity}`).values()].map((members) => {
    const cache = new LayerCache({
      heads,
      headDim,
      capacity: members[0]!.capacity,
      rows: members.map(({ rows }) => rows),
      buffers: joinBuffers(members, model.pool),
    });
    const tensors = newBatchTensors(model.config, members.length);
    return { cache, sequences: members.map(({ sequence }) => sequence), tensors };
  });
}

/** Bytes of every sequence, all layers together: now, and what a step adds. */
function bytesOfSequences(
  layers: readonly (readonly Batch[])[],
  sequences: number,
): { readonly now: number; readonly step: number }[] {
  const bytes = Array.from({ length: sequences }, () => ({ now: 0, step: 0 }));
  for (const { cache, sequences: members } of layers.flat()) {
    for (const [member, sequence] of members.entries()) {
      bytes[sequence]!.now += cache.liveBytes(member);
      bytes[sequence]!.step += rowBytes(cache, cache.type);
    }
  }
  return bytes;
}

/** A sequence that has a token to run. */
interface Running {
  readonly sequence: number;
  readonly token: PlacedToken;
}

/**
 * Runs a token of every sequence through the decoder in one pass over the weights. The rows of a product do not depend
 * on how many there are, but for a single row, whose products may round in an order of their own: it is run twice, so
 * that an answer is the same in any company.
 *
 * @param layers the caches of every layer
 * @returns logits [vocabSize] of every running sequence
 */
async function stepTogether(
  model: LanguageModel,
  layers: readonly (readonly Batch[])[],
  running: readonly Running[],
): Promise<Float32Array[]> {
  const { heads, headDim, vocabSize } = model.config;
  const own = running.length;
  const rows = Math.max(2, own);
  const tokens = [...running, ...running.slice(0, rows - own)].map(({ token }) => token);
  const rowOf = new Map(running.map(({ sequence }, row) => [sequence, row]));
  const width = heads * headDim;
  const logits = await model.pass.run(tokens, async (layer, projections, target) => {
    const attention = floatData(target);
    for (const batch of layers[layer]!) await attendBatch(model, batch, { rowOf, projections, attention });
    if (rows > own) attention.copyWithin(own * width, 0, width);
    return target;
  });
  return running.map((_, row) => logits.subarray(row * vocabSize, (row + 1) * vocabSize));
}

/** Lets complete sequences go once they are half of a batch: until then it costs less to compute them in vain. */
function shrinkBatch(model: LanguageModel, batch: Batch, rowOf: ReadonlyMap<number, number>): void {
  const members = [...batch.sequences.keys()].filter((member) => rowOf.has(batch.sequences[member]!));
  if (members.length === 0 || 2 * members.length > batch.sequences.length) return;
  batch.cache.keep(members);
  batch.sequences = members.map((member) => batch.sequences[member]!);
  batch.tensors = newBatchTensors(model.config, members.length);
}

/** Appends the new rows of a batch's running sequences and writes their attention. */
async function attendBatch(
  model: LanguageModel,
  batch: Batch,
  step: {
    /** Row of every running sequence in projections and attention. */
    readonly rowOf: ReadonlyMap<number, number>;
    readonly projections: Projections;
    /** [rows, heads * headDim]. */
    readonly attention: Float32Array;
  },
): Promise<void> {
  const { rowOf, projections, attention } = step;
  shrinkBatch(model, batch, rowOf);
  const { cache, sequences, tensors } = batch;
  const active = sequences.map((sequence) => rowOf.has(sequence));
  if (!active.includes(true)) return;
  for (const name of ['query', 'key', 'value'] as const) {
    const [target, source] = [floatData(tensors[name]), floatData(projections[name])];
    const width = target.length / sequences.length;
    for (const [member, sequence] of sequences.entries()) {
      const row = rowOf.get(sequence);
      if (row !== undefined) copyRow(target, member, source, row, width);
    }
  }
  const attended = floatData(await model.attention.decode({ ...tensors, active }, cache));
  for (const [member, sequence] of sequences.entries()) {
    const row = rowOf.get(sequence);
    if (row !== undefined) copyRow(attention, row, attended, member, attended.length / sequences.length);
  }
}

/** A loop, because views made for `set` would be garbage a row and layer. */
function copyRow(target: Float32Array, to: number, source: Float32Array, from: number, width: number): void {
  for (let d = 0; d < width; d++) target[to * width + d] = source[from * width + d]!;
}

/**
 * Greedy decoding of several answers in lockstep. Each answer is the same as in any other company; its steps have no
 * time of their own.
 *
 * @returns one generation a sequence with the K and V bytes at its end, and the milliseconds of all steps
 */
export async function generateTogether(
  model: LanguageModel,
  sequences: readonly Sequence[],
  options: GenerationOptions,
): Promise<{
  readonly answers: { readonly generation: Generation; readonly bytesEnd: number }[];
  readonly milliseconds: number;
}> {
  const layers: Batch[][] = [];
  for (let layer = 0; layer < model.config.layers; layer++) {
    layers.push(await openBatches(model, layer, sequences));
  }
  const bytes = bytesOfSequences(layers, sequences.length);
  const answers = sequences.map(({ start }) => new Answer(firstPosition(start), options));
  const choose = (sequence: number, logits: Float32Array): Running[] => {
    sequences[sequence]!.onLogits?.(logits);
    const token = answers[sequence]!.next(logits);
    return token === null ? [] : [{ sequence, token }];
  };
  let running = sequences.flatMap(({ start }, sequence) =>
    start.kind === 'logits' ? choose(sequence, start.logits) : [{ sequence, token: start }],
  );
  const steps = new Int32Array(sequences.length);
  let milliseconds = 0;
  while (running.length > 0) {
    const begin = performance.now();
    const logits = await stepTogether(model, layers, running);
    milliseconds += performance.now() - begin;
    for (const { sequence } of running) steps[sequence]!++;
    running = running.flatMap(({ sequence }, row) => choose(sequence, logits[row]!));
  }
  for (const { cache } of layers.flat()) {
    model.pool.give(cache.buffers.keys);
    model.pool.give(cache.buffers.values);
  }
  return {
    answers: answers.map(({ tokens, stopped }, sequence) => ({
      generation: { tokens, stopped: stopped!, steps: [] },
      bytesEnd: bytes[sequence]!.now + steps[sequence]! * bytes[sequence]!.step,
    })),
    milliseconds,
  };
}
