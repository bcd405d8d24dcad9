import path from 'node:path';
import type { LanguageModel } from '../engine/language-model.js';
import type { Runtime } from '../engine/runtime.js';
import type { BlockFormat } from '../onnx/quantise-blocks.js';
import type { Measured } from './benchmark.js';
import { cacheRows, sevenB } from './decoder-shape.js';
import { type Contender, summarise, type Timing, timeInterleaved } from './interleaved.js';
import { blockFormatError, normalWeights, q40Error } from './peer/format-errors.js';
import { mostTokens } from './peer/llama-library.js';
import { type LlamaContext, LlamaPeer } from './peer/llama-peer.js';
import { writeRandomGguf } from './peer/random-gguf.js';
import { promptByLayers } from './prompt.js';
import { raceInPieces } from './race-in-pieces.js';
import { RandomCache } from './random-cache.js';
import { formatName, openRandomDecoder } from './random-decoder.js';
import { withModelDirectory } from './temporary-models.js';

const formats = [32, 64, 128].map((blockSize) => ({ dtype: 'int4', blockSize }) as BlockFormat);

/** Settings of llama.cpp, both with K and V in float16; flash attention is its default. */
const settings = [
  { name: 'llama.cpp Q4_0', flashAttention: false },
  { name: 'llama.cpp Q4_0, flash', flashAttention: true },
] as const;

const prompts = [
  { length: 512, mostRounds: 3 },
  { length: 4096, mostRounds: 1 },
] as const;

const parts = { count: sevenB.layers, name: 'layer' };

/** Everyone in the race, by name. */
interface Racers {
  readonly peers: ReadonlyMap<string, LlamaContext>;
  readonly engines: ReadonlyMap<string, LanguageModel>;
}

/**
 * llama.cpp and the engine side by side on four layers of LLaVA-1.5-7B: a prompt, here with column sums and there
 * without, then one token on caches of several sizes. Each is compared with the faster setting of llama.cpp.
 *
 * @throws UserError when llama.cpp is not installed
 */
export async function benchmarkPeer(runtime: Runtime, rounds: number): Promise<Measured> {
  return withModelDirectory(async (directory) => {
    const file = path.join(directory, 'llama.gguf');
    await writeRandomGguf(file, sevenB);
    const llama = await LlamaPeer.open(file, sevenB.vocabSize);
    const mostRows = prompts.at(-1)!.length + mostTokens;
    const peers = new Map(
      settings.map(({ name, flashAttention }) => [
        name,
        llama.context(mostRows, { threads: runtime.threads, flashAttention }),
      ]),
    );
    const engines = new Map<string, LanguageModel>();
    for (const format of formats) {
      engines.set(formatName(format), await openRandomDecoder(runtime, directory, sevenB, format));
    }
    const timings: Timing[] = [];
    for (const { length, mostRounds } of prompts) {
      timings.push(...(await racePrompts({ peers, engines }, length, Math.min(rounds, mostRounds))));
    }
    for (const rows of cacheRows) {
      timings.push(...(await timeInterleaved(tokenContenders({ peers, engines }, rows), rounds)));
    }
    llama.close();
    return { timings, notes: [errorNote()] };
  });
}

async function racePrompts({ peers, engines }: Racers, length: number, rounds: number): Promise<Timing[]> {
  const label = (name: string): string => `${length} tokens: ${name}`;
  const beside = [...peers.keys()].map(label);
  const contenders = [...peers.keys(), ...engines.keys()].map((name) => ({
    name: label(name),
    beside,
    parts,
  }));
  const times = contenders.map((): number[] => []);
  const race = (): Promise<number[]> =>
    raceInPieces([
      ...[...peers.values()].map((context) => ({
        pieces: feedInChunks(context, length),
        count: length / mostTokens,
      })),
      ...[...engines.values()].map((model) => ({
        pieces: promptByLayers(model, length),
        count: sevenB.layers,
      })),
    ]);
  // The first round of a short prompt would mostly measure memory being asked for.
  if (rounds > 1) await race();
  for (let round = 0; round < rounds; round++) {
    for (const [index, time] of (await race()).entries()) times[index]!.push(time);
  }
  return summarise(contenders, times);
}

/** Fills an emptied cache chunk by chunk. */
async function* feedInChunks(context: LlamaContext, length: number): AsyncGenerator<void, void> {
  context.cut(0);
  for (let done = 0; done < length; done += mostTokens) {
    context.feed(Math.min(mostTokens, length - done));
    yield;
  }
}

/** One token that sees `rows` rows; caches of llama.cpp hold more and are cut. */
function tokenContenders({ peers, engines }: Racers, rows: number): Contender[] {
  const label = (name: string): string => `${rows} rows: ${name}`;
  const common = { beside: [...peers.keys()].map(label), parts };
  const cache = new RandomCache(sevenB, rows);
  const embedding = new Float32Array(sevenB.hiddenSize).fill(0.1);
  return [
    ...[...peers].map(([name, context]) => ({
      ...common,
      name: label(name),
      run: async () => {
        context.cut(rows - 1);
        context.feed(1);
      },
    })),
    ...[...engines].map(([name, model]) => ({
      ...common,
      name: label(name),
      run: async () => void (await cache.step(model, embedding)),
    })),
  ];
}

/** What the formats cost in accuracy: only formats of one error are alike. */
function errorNote(): string {
  const weights = normalWeights();
  const percent = (error: number): string => `${(100 * error).toFixed(1)} %`;
  const errors = [
    `Q4_0 ${percent(q40Error(weights))}`,
    ...formats.map((format) => `${formatName(format)} ${percent(blockFormatError(weights, format))}`),
  ];
  return `error relative to normally distributed weights: ${errors.join(', ')}`;
}
