import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { convertRandom } from '../../src/convert/convert-random.js';
import { RandomBytes } from '../../src/core/random-bytes.js';
import type { DecodeStart } from '../../src/engine/decode.js';
import { type LanguageModel, openLanguageModel } from '../../src/engine/language-model.js';
import { cacheCapacity, LayerCache } from '../../src/engine/layer-cache.js';
import type { Runtime } from '../../src/engine/runtime.js';
import { decodeBlock } from '../../src/latency/decode-block.js';
import { openRuntime, sessionKinds } from '../support/runtimes.js';
import { sharedDirectory } from '../support/shared-directory.js';
import { smallRandomModel } from '../support/small-random-model.js';

describe.each(sessionKinds)('a block of steps with %s sessions', (kind) => {
  let runtime: Runtime;
  let model: LanguageModel;
  let embeddings: Float32Array;
  beforeAll(async () => {
    const out = path.join(sharedDirectory(), 'model');
    const sizes = { sizes: smallRandomModel, seed: 0, layers: 2 };
    const manifest = await convertRandom({ out, dtype: 'fp32', model: sizes });
    runtime = await openRuntime(kind, 1);
    model = await openLanguageModel(runtime, { directory: out, manifest });
    const { vocabSize, hiddenSize } = model.config;
    embeddings = new RandomBytes().array(vocabSize * hiddenSize, -1, 1);
  });
  afterAll(() => runtime.close());

  const embed = (token: number): Float32Array =>
    embeddings.subarray(token * model.config.hiddenSize, (token + 1) * model.config.hiddenSize);

  function newCache(rows: number): LayerCache[] {
    const { layers, kvHeads: heads, headDim } = model.config;
    const random = new RandomBytes();
    const capacity = cacheCapacity(rows);
    const size = heads * capacity * headDim;
    return Array.from({ length: layers }, () => {
      const buffers = { keys: random.array(size, -1, 1), values: random.array(size, -1, 1) };
      return new LayerCache({ heads, headDim, rows, capacity, buffers: { type: 'float32', ...buffers } });
    });
  }

  const start = (): DecodeStart => ({ kind: 'token', embedding: embed(7), position: 60 });

  it('decodes as many tokens as asked for, whatever they are, each step timed', async () => {
    const cache = newCache(60);
    let steps = 0;
    const afterStep = () => steps++;
    const block = await decodeBlock({ model, runtime }, cache, start(), { steps: 40, embed, afterStep });
    expect(steps).toBe(40);
    expect([block.steps.length, block.runtime.length, block.tokens.length]).toEqual([40, 40, 40]);
    expect(cache.map(({ rows }) => rows)).toEqual([100, 100]);
    for (const [i, step] of block.steps.entries()) expect(step).toBeGreaterThan(block.runtime[i]!);
  });

  it('chooses the same tokens again from the same rows, also over buffers that have grown', async () => {
    const cache = newCache(60);
    const first = await decodeBlock({ model, runtime }, cache, start(), { steps: 20, embed });
    for (const layer of cache) layer.rewind(60);
    const again = await decodeBlock({ model, runtime }, cache, start(), { steps: 20, embed });
    expect(again.tokens).toEqual(first.tokens);
    expect(new Set(first.tokens).size).toBeGreaterThan(1);
  });

  it('starts from logits with the token that they choose, at the next position', async () => {
    const { vocabSize } = model.config;
    const logits = new Float32Array(vocabSize);
    logits[7] = 1;
    const fromToken = await decodeBlock({ model, runtime }, newCache(60), start(), { steps: 5, embed });
    const fromLogits = await decodeBlock(
      { model, runtime },
      newCache(60),
      { kind: 'logits', logits, nextPosition: 60 },
      { steps: 5, embed },
    );
    expect(fromLogits.tokens).toEqual(fromToken.tokens);
  });
});
