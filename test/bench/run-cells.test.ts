import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { embeddingOf } from '../../src/backbone/embedding-table.js';
import { openBundle } from '../../src/backbone/open-bundle.js';
import { findPromptTemplate } from '../../src/backbone/prompt-template.js';
import { createStopCheck } from '../../src/backbone/stop-criteria.js';
import type { CachePlan } from '../../src/bench/cache-plan.js';
import { CachePlanner } from '../../src/bench/cache-planner.js';
import { mostCacheSize } from '../../src/bench/cache-sizes.js';
import { type Backbone, openBackbone } from '../../src/bench/open-backbone.js';
import type { PreparedPrompt } from '../../src/bench/prefill-cells.js';
import type { Cell } from '../../src/bench/record.js';
import { type CacheRoom, type CellObserver, type CellOutcome, runCells } from '../../src/bench/run-cells.js';
import { openSpillFile } from '../../src/bench/spill-file.js';
import { MethodSet } from '../../src/compression/method-set.js';
import type { Decoding } from '../../src/config/protocols.js';
import { convertCheckpoint } from '../../src/convert/convert-checkpoint.js';
import { cacheBytes } from '../../src/core/cache-buffers.js';
import { sha256 } from '../../src/core/content-hash.js';
import type { DecodeAttention } from '../../src/engine/decode-attention.js';
import type { LanguageModel } from '../../src/engine/language-model.js';
import { Runtime } from '../../src/engine/runtime.js';
import { largestDifference } from '../../src/verify/tally.js';
import { fixturePath, repositoryPath } from '../support/fixture-path.js';
import { float32Values, int32Values, readSafetensors } from '../support/read-safetensors.js';

const golden = readSafetensors(fixturePath('embedded/golden_sample.safetensors'));
const tokensPerImage = 81;
const full: Cell = { method: 'full', semantics: 'release', budget: null, firstToken: 'prefill' };
const cellOf = (method: string, ratio: number, change: Partial<Cell> = {}): Cell => ({
  method,
  semantics: 'release',
  budget: { kind: 'ratio', recent: ratio, important: ratio },
  firstToken: 'prefill',
  ...change,
});
const cached = { firstToken: 'cache' } as const;
const paper = { semantics: 'paper' } as const;

let directory: string;
let backbone: Backbone;
let prompt: PreparedPrompt;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'lookm-cells-'));
  const out = path.join(directory, 'bundle');
  const checkpoint = repositoryPath('models/tiny-llava');
  await convertCheckpoint({ checkpoint, out, dtype: 'fp32', prompt: findPromptTemplate('llava_llama_2') });
  backbone = await openBackbone(await openBundle(out, { verify: 'sizes' }), new Runtime({ threads: 2 }));
  const embeddings = float32Values(golden, 'inputs_embeds');
  prompt = { embeddings, modality: imagePositions(embeddings) };
});
afterAll(async () => {
  await backbone.close();
  await rm(directory, { recursive: true, force: true });
});

/** Positions whose embedding is a row of the recorded projector output. */
function imagePositions(embeddings: Float32Array): Uint8Array {
  const features = float32Values(golden, 'projector_output');
  const { hiddenSize } = backbone.bundle.manifest.text;
  const modality = new Uint8Array(embeddings.length / hiddenSize);
  let image = 0;
  for (let position = 0; position < modality.length; position++) {
    const row = features.subarray(image * hiddenSize, (image + 1) * hiddenSize);
    const here = embeddings.subarray(position * hiddenSize, (position + 1) * hiddenSize);
    if (row.length > 0 && largestDifference(here, row) < 1e-6) {
      modality[position] = 1;
      image++;
    }
  }
  expect(image).toBe(features.length / hiddenSize);
  expect(image % tokensPerImage).toBe(0);
  return modality;
}

interface RunOptions {
  readonly observer?: CellObserver;
  readonly mode?: Decoding;
  readonly model?: LanguageModel;
  readonly room?: CacheRoom;
}

function run(cells: readonly Cell[], { model = backbone.model, ...options }: RunOptions = {}) {
  const { prompt: template, tokens } = backbone.bundle.manifest;
  const { tokenizer, embeddings, nearestKeys, channels, runtime } = backbone;
  const embed = (token: number): Float32Array => embeddingOf(embeddings, token);
  const stop = createStopCheck({ stopStrings: template.stopStrings, tokenizer, tokens });
  return runCells({
    backbone: { model, nearestKeys, channels, runtime },
    methods: new MethodSet(),
    prompt,
    seed: 3,
    cells,
    decoding: { maxNewTokens: 16, stop, embed },
    ...options,
  });
}

/** The model with a count of its decode attentions, one a layer and step. */
function countingModel(): { readonly model: LanguageModel; readonly decodeSteps: () => number } {
  let calls = 0;
  const { attention, config } = backbone.model;
  const decode: DecodeAttention = (rows, cache) => {
    calls++;
    return attention.decode(rows, cache);
  };
  const model: LanguageModel = { ...backbone.model, attention: { ...attention, decode } };
  return { model, decodeSteps: () => calls / config.layers };
}

/** What a cell came to, without its times. */
function gist({ generation, layers, bytesEnd }: CellOutcome) {
  return {
    tokens: generation.tokens,
    stopped: generation.stopped,
    rows: layers.map(({ cache }) => cache.rows),
    kept: layers.map(({ cache: { kept } }) =>
      sha256(new Uint8Array(kept.buffer, kept.byteOffset, kept.byteLength)),
    ),
    outcomes: layers.map(({ outcome, remark }) => ({ outcome, remark })),
    bytesEnd,
  };
}

describe('one sample in depth', () => {
  it('gives the K, V, column sums and logits of the independent implementation', async () => {
    const errors: Record<string, number> = {};
    let logits: Float32Array | undefined;
    await run([full], {
      observer: {
        onPrefilled: ({ layer, length, keys, values, statistics }) => {
          errors[`k.${layer}`] = largestDifference(keys, float32Values(golden, `k.${layer}`));
          errors[`v.${layer}`] = largestDifference(values, float32Values(golden, `v.${layer}`));
          const sums = statistics.columnSums(length);
          errors[`sums.${layer}`] = largestDifference(sums, float32Values(golden, `attn_colsum.${layer}`));
        },
        onLogits: (_cell, seen) => {
          logits ??= seen.slice();
        },
      },
    });
    expect(Object.keys(errors).length).toBe(12);
    expect(Math.max(...Object.values(errors))).toBeLessThan(1e-4);
    expect(largestDifference(logits!, float32Values(golden, 'logits_last'))).toBeLessThan(1e-3);
  });

  it.each([
    ['h2o', 'h2o'],
    ['look-m-tp-p', 'text_prior_pivot_merge'],
  ])('conserves the positions that %s conserves there, in every layer and head', async (method, name) => {
    for (const [budget, ratio] of [
      ['20%', 0.1],
      ['5%', 0.025],
    ] as const) {
      const kept: Int32Array[] = [];
      await run([cellOf(method, ratio)], {
        observer: { onCompressed: (_cell, _layer, { cache }) => kept.push(cache.kept) },
      });
      expect(kept.length).toBe(4);
      for (const [layer, positions] of kept.entries())
        expect(positions).toEqual(int32Values(golden, `keep.${name}.${budget}.${layer}`));
    }
  });
});

describe('one prefill, many caches', () => {
  const cells = [
    full,
    cellOf('h2o', 0.1),
    cellOf('h2o', 0.025, cached),
    cellOf('h2o', 0.1, paper),
    cellOf('snapkv', 0.1),
    cellOf('snapkv', 0.025, cached),
    cellOf('snapkv', 0.1, paper),
    cellOf('snapkv', 0.05, { ...paper, ...cached }),
    cellOf('roco', 0.1),
    cellOf('roco', 0.1, paper),
    cellOf('roco', 0.025, { ...paper, ...cached }),
    cellOf('look-m-a', 0.1, paper),
    cellOf('look-m-w', 0.1),
    cellOf('look-m-p', 0.025, cached),
    cellOf('look-m-tp-a', 0.1),
    cellOf('look-m-tp-w', 0.1, { ...paper, ...cached }),
    cellOf('look-m-tp-p', 0.025),
    cellOf('look-m-tp-p', 0.025, paper),
    cellOf('look-m-tp-p', 0.1, cached),
    cellOf('random', 0.1),
    cellOf('matched:look-m-tp-p/snapkv', 0.025),
    cellOf('h2o', 0, { budget: { kind: 'tokens', recent: 20, important: 30 } }),
    { ...full, ...cached, method: 'full+int8' },
    cellOf('h2o+int8', 0.1),
    cellOf('look-m-tp-p+int8', 0.025, { ...paper, ...cached }),
  ];

  it('prefills once whatever the number of cells', async () => {
    const { counters } = backbone.model;
    const before = counters.prefills;
    await run([full]);
    const alone = counters.prefills - before;
    await run([...cells, cellOf('look-m-tp-p', 0.1, cached)]);
    expect(alone).toBe(1);
    expect(counters.prefills - before - alone).toBe(1);
  });

  it.each(['alone', 'together'] as const)(
    `a cell answers the same alone and among ${cells.length} cells decoded %s, also with recycled buffers`,
    async (mode) => {
      const { outcomes } = await run(cells, { mode });
      expect(outcomes.map(({ cell }) => cell)).toEqual(cells);
      for (const [index, cell] of cells.entries()) {
        const [alone] = (await run([cell], { mode })).outcomes;
        expect(gist(alone!), JSON.stringify(cell)).toEqual(gist(outcomes[index]!));
      }
    },
  );
});

describe('caches that memory has no room for', () => {
  const cells = [
    full,
    cellOf('h2o', 0.1),
    cellOf('roco', 0.1),
    cellOf('look-m-p', 0.025, cached),
    cellOf('look-m-tp-p', 0.1, paper),
    { ...full, ...cached },
    cellOf('look-m-tp-w', 0.025),
    cellOf('h2o+int8', 0.1, cached),
    { ...full, method: 'full+int8' },
  ];
  const numbers = [...cells.keys()];
  const nowhere: ReadonlySet<number> = new Set();
  const whole = { passes: [{ cells: numbers, spilled: nowhere }], limit: Number.POSITIVE_INFINITY };

  it.each(['alone', 'together'] as const)(
    'change no answer decoded %s, whether they go through a file or take another prefill',
    async (mode) => {
      const file = await openSpillFile(directory);
      const expected = (await run(cells, { mode })).outcomes.map(gist);
      const through = async (kind: CachePlan['kind'], { passes, limit }: typeof whole) => {
        const before = backbone.model.counters.prefills;
        const { outcomes } = await run(cells, { mode, room: { plan: { kind, passes }, file, limit } });
        expect(outcomes.map(gist), kind).toEqual(expected);
        return backbone.model.counters.prefills - before;
      };
      for (const spilled of [numbers, [0, 2, 4, 8], [5]]) {
        const passes = [{ cells: numbers, spilled: new Set(spilled) }];
        expect(await through('spill', { ...whole, passes, limit: 3e6 })).toBe(1);
      }
      expect(file.moved.bytes).toBeGreaterThan(0);
      const groups = [
        { cells: [5, 2, 7], spilled: nowhere },
        { cells: [0, 3, 4], spilled: nowhere },
        { cells: [1, 6, 8], spilled: nowhere },
      ];
      expect(await through('groups', { ...whole, passes: groups })).toBe(3);
      expect(await through('memory', { ...whole, limit: 1 })).toBe(1);
      await file.close();
    },
  );

  it('are planned for by sizes that no cache exceeds', async () => {
    const { outcomes } = await run([
      ...cells,
      cellOf('snapkv', 0.05),
      cellOf('matched:look-m-tp-p/h2o', 0.025),
    ]);
    const { text } = backbone.bundle.manifest;
    for (const { cell, bytesEnd, layers } of outcomes) {
      const options = { modality: prompt.modality, newTokens: 16 };
      const { held, grown } = mostCacheSize(text, new MethodSet(), cell, options);
      const shape = { heads: text.kvHeads, headDim: text.headDim };
      const allocated = layers.map(({ cache }) => cacheBytes(shape, cache.type, cache.capacity));
      expect(held).toBeGreaterThanOrEqual(allocated.reduce((sum, bytes) => sum + bytes, 0));
      expect(grown).toBeGreaterThanOrEqual(Math.max(held, bytesEnd));
    }
  });

  it.each([
    ['alone', 1e9, 'memory', 1],
    ['together', 1e9, 'memory', 1],
    ['alone', 1.2, 'spill', 1],
    ['together', 1.2, 'spill', 1],
  ] as const)('%s with room for %s of the largest are kept by %s', async (decoding, room, kind, prefills) => {
    const options = { modality: prompt.modality, newTokens: 16 };
    const { text } = backbone.bundle.manifest;
    const { grown } = mostCacheSize(text, new MethodSet(), full, options);
    const generation = { decoding, maxNewTokens: 16 };
    const planner = new CachePlanner({
      ...{ config: text, threads: 1, limit: room * grown, directory, methods: new MethodSet(), generation },
    });
    // Prefills have taken long so far.
    planner.prefilled(1, 1e6);
    const { plan } = await planner.roomFor(cells, prompt.modality);
    expect(plan.kind).toBe(kind);
    expect(plan.passes.length).toBe(prefills);
    expect(planner.counts).toMatchObject({ [kind]: 1 });
    await planner.close();
  });

  it('are refused when not even the largest fits', async () => {
    const planner = new CachePlanner({
      ...{ config: backbone.bundle.manifest.text, threads: 1, limit: 1000, directory },
      ...{ methods: new MethodSet(), generation: { decoding: 'alone', maxNewTokens: 16 } },
    });
    await expect(planner.roomFor(cells, prompt.modality)).rejects.toThrow('leave out method full');
    await planner.close();
  });
});

describe('identical caches', () => {
  const [h2o, roco] = [cellOf('h2o', 0.1), cellOf('roco', 0.1)];

  it.each(['alone', 'together'] as const)(
    'decode once when decoded %s, for all cells that hold them',
    async (mode) => {
      const one = countingModel();
      const [single] = (await run([h2o], { mode, model: one.model })).outcomes;
      expect(single!.sharedDecode).toBe(false);
      expect(one.decodeSteps()).toBeGreaterThan(0);
      const two = countingModel();
      const [first, second] = (await run([h2o, roco], { mode, model: two.model })).outcomes;
      expect(two.decodeSteps()).toBe(one.decodeSteps());
      expect([first!.sharedDecode, second!.sharedDecode]).toEqual([true, true]);
      expect(second!.generation).toEqual(first!.generation);
      expect(second!.generation.tokens).toEqual(single!.generation.tokens);
      expect(second!.bytesEnd).toBe(first!.bytesEnd);
      expect(second!.layers.map(({ remark }) => remark)).not.toContain(null);
      expect(first!.layers.map(({ remark }) => remark)).toEqual([null, null, null, null]);
    },
  );

  it('decode once a first-token protocol: its first token comes from elsewhere', async () => {
    const counting = countingModel();
    const more = { kind: 'tokens', recent: 1000, important: 1000 } as const;
    const cells = [full, { ...full, ...cached }, cellOf('h2o', 0, { budget: more }), cellOf('snapkv', 0.1)];
    const { outcomes } = await run(cells, { model: counting.model });
    expect(outcomes.map(({ sharedDecode }) => sharedDecode)).toEqual([true, false, true, false]);
    const steps = outcomes.map(({ generation }) => generation.steps.length);
    expect(counting.decodeSteps()).toBe(steps[0]! + steps[1]! + steps[3]!);
  });
});

describe('the first-token protocols', () => {
  it('agree for the full cache: the last token on the cache of the others gives the logits of prefill', async () => {
    const first = new Map<Cell, Float32Array>();
    const onCache: Cell = { ...full, firstToken: 'cache' };
    const { outcomes } = await run([full, onCache], {
      observer: {
        onLogits: (cell, seen) => {
          if (!first.has(cell)) first.set(cell, seen.slice());
        },
      },
    });
    expect(largestDifference(first.get(full)!, first.get(onCache)!)).toBeLessThan(1e-4);
    expect(outcomes[1]!.generation.tokens).toEqual(outcomes[0]!.generation.tokens);
    expect(outcomes[1]!.layers[0]!.cache.rows).toBe(outcomes[0]!.layers[0]!.cache.rows - 1);
    expect(outcomes[1]!.generation.steps.length).toBe(outcomes[0]!.generation.steps.length + 1);
  });

  it('under `cache` sizes and scores come from the prompt without its last token', async () => {
    const rows: number[] = [];
    await run([cellOf('h2o', 0.1, cached)], {
      observer: {
        onCompressed: (_cell, _layer, { cache }) => {
          rows.push(cache.rows);
          expect(Math.max(...cache.kept)).toBe(prompt.modality.length - 2);
        },
      },
    });
    const length = prompt.modality.length - 1;
    expect(rows).toEqual(Array(4).fill(2 * Math.trunc(length * 0.1)));
  });
});
