import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { convertCheckpoint } from '../../src/convert/convert-checkpoint.js';
import type { CacheType } from '../../src/core/cache-buffers.js';
import { seededRandom } from '../../src/core/seeded-random.js';
import { type DecodeStart, type GenerationOptions, generate } from '../../src/engine/decode.js';
import { generateTogether, type StartingRows } from '../../src/engine/decode-together.js';
import { type LanguageModel, openLanguageModel } from '../../src/engine/language-model.js';
import { cacheCapacity, LayerCache, mapBuffers } from '../../src/engine/layer-cache.js';
import type { Runtime } from '../../src/engine/runtime.js';
import { fixturePath } from '../support/fixture-path.js';
import { openRuntime, sessionKinds } from '../support/runtimes.js';

let runtimes: Runtime[] = [];
let directory: string;
let models: Record<(typeof sessionKinds)[number], LanguageModel>;
/** Of the test at hand. */
let model: LanguageModel;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'lookm-together-'));
  const out = path.join(directory, 'model');
  const manifest = await convertCheckpoint({
    checkpoint: fixturePath('backbones/llava'),
    out,
    dtype: 'fp32',
  });
  const [portable, native] = [await openRuntime('portable', 2), await openRuntime('native', 2)];
  runtimes = [portable, native];
  const files = { directory: out, manifest };
  models = {
    portable: await openLanguageModel(portable, files),
    native: await openLanguageModel(native, files),
  };
});
afterAll(async () => {
  for (const runtime of runtimes) await runtime.close();
  await rm(directory, { recursive: true, force: true });
});

const random = seededRandom(5);
const filled = (count: number): Float32Array => Float32Array.from({ length: count }, () => random() - 0.5);

/** A cache of so many random rows in every layer. */
function startingRows(rows: number, type: CacheType): StartingRows[] {
  const { layers, kvHeads, headDim } = model.config;
  const capacity = cacheCapacity(rows);
  const buffer = (): Float32Array => {
    const all = new Float32Array(kvHeads * capacity * headDim);
    for (let head = 0; head < kvHeads; head++) {
      all.set(filled(rows * headDim), head * capacity * headDim);
    }
    return all;
  };
  const scales = (): Float32Array => new Float32Array(kvHeads * headDim).fill(1 / 250);
  const integers = (): Int8Array => Int8Array.from(buffer(), (value) => Math.round(250 * value));
  return Array.from({ length: layers }, () =>
    type === 'float32'
      ? { type, rows, capacity, keys: buffer(), values: buffer() }
      : {
          ...{ type, rows, capacity, keys: integers(), values: integers() },
          scales: { keys: scales(), values: scales() },
        },
  );
}

/** An answer stops after as many tokens as its first token says. */
function optionsFor(lengths: ReadonlyMap<number, number>): GenerationOptions {
  return {
    maxNewTokens: 70,
    stop: (tokens) => (tokens.length >= lengths.get(tokens[0]!)! ? 'stop-string' : null),
    embed: (token) =>
      embeddings.subarray(token * model.config.hiddenSize, (token + 1) * model.config.hiddenSize),
  };
}

let embeddings: Float32Array;
beforeAll(() => {
  const { vocabSize, hiddenSize } = models.portable.config;
  embeddings = filled(vocabSize * hiddenSize);
});

/** Sequences whose first token is their number, from logits or from a last prompt token, on caches of both types. */
function sequences() {
  const { vocabSize, hiddenSize } = model.config;
  return [0, 3, 20, 60, 62, 63, 64, 100, 130, 20].map((rows, number) => {
    const logits = new Float32Array(vocabSize).fill(-1);
    logits[number] = 1;
    const start: DecodeStart =
      number % 2 === 0
        ? { kind: 'logits', logits, nextPosition: 200 + number }
        : { kind: 'token', embedding: filled(hiddenSize), position: 200 + number };
    return { rows: startingRows(rows, number % 3 === 1 ? 'int8' : 'float32'), start };
  });
}

function copyOf<Rows extends Float32Array | Int8Array>(rows: Rows): Rows {
  return rows.slice() as Rows;
}

/** As decoding together asks for it; the rows are copies, so that they can be given up again. */
function givenUp<Given extends { readonly rows: readonly StartingRows[] }>({ rows, ...sequence }: Given) {
  const take = async (layer: number): Promise<StartingRows> => {
    const { rows: count, capacity, ...buffers } = rows[layer]!;
    return { rows: count, capacity, ...mapBuffers(buffers, { rows: copyOf }) };
  };
  return { ...sequence, take };
}

describe.each(sessionKinds)('answers decoded together with %s sessions', (kind) => {
  beforeEach(() => {
    model = models[kind];
  });

  it('are those decoded alone: tokens, logits and bytes, whatever company leaves early or grows a buffer', async () => {
    const { kvHeads: heads, headDim } = model.config;
    const all = sequences();
    const fixed: GenerationOptions = { ...optionsFor(new Map()), stop: () => null };
    const seen: Float32Array[][] = all.map(() => []);
    const alone = [];
    for (const [i, { rows, start }] of all.entries()) {
      const caches = rows.map(
        (layer) =>
          new LayerCache({
            heads,
            headDim,
            rows: layer.rows,
            capacity: layer.capacity,
            buffers: mapBuffers(layer, { rows: copyOf }),
          }),
      );
      const options = { ...fixed, maxNewTokens: 3 + 7 * i };
      const generation = await generate(model, caches, start, options, (logits) =>
        seen[i]!.push(logits.slice()),
      );
      alone.push({ ...generation, bytes: caches.reduce((total, cache) => total + cache.liveBytes(), 0) });
    }
    const counts = all.map(() => 0);
    const together = await generateTogether(
      model,
      all.map((sequence, i) => ({
        ...givenUp(sequence),
        onLogits: (logits: Float32Array) => {
          const expected = seen[i]![counts[i]!++];
          if (expected !== undefined) expect(logits).toEqual(expected);
        },
      })),
      { ...fixed, maxNewTokens: 3 + 7 * (all.length - 1) },
    );
    for (const [i, { generation }] of together.answers.entries()) {
      expect(generation.tokens.slice(0, 3 + 7 * i)).toEqual(alone[i]!.tokens);
      expect(generation.steps).toEqual([]);
    }
    expect(together.answers.at(-1)!.bytesEnd).toBe(alone.at(-1)!.bytes);
    expect(together.milliseconds).toBeGreaterThan(0);
  });

  it('stop one by one, and those that go on do not notice', async () => {
    const all = sequences();
    const together = await generateTogether(model, all.map(givenUp), {
      ...optionsFor(new Map()),
      maxNewTokens: 30,
      stop: () => null,
    });
    // The first token of an answer that starts from logits is the number of its sequence.
    const lengths = new Map(Array.from({ length: model.config.vocabSize }, (_, token) => [token, 30]));
    for (const number of [0, 2, 4]) lengths.set(number, 1 + number);
    const stopping = await generateTogether(model, all.map(givenUp), {
      ...optionsFor(lengths),
      maxNewTokens: 30,
    });
    for (const [i, { generation, bytesEnd }] of stopping.answers.entries()) {
      const whole = together.answers[i]!;
      const length = lengths.get(whole.generation.tokens[0]!)!;
      expect(generation.tokens).toEqual(whole.generation.tokens.slice(0, length));
      if (length < 30) expect(bytesEnd).toBeLessThan(whole.bytesEnd);
    }
    expect(
      stopping.answers.filter(({ generation }) => generation.tokens.length < 30).length,
    ).toBeGreaterThanOrEqual(3);
  });

  it('may be none', async () => {
    const options = optionsFor(new Map());
    expect(await generateTogether(model, [], options)).toEqual({ answers: [], milliseconds: 0 });
  });
});
