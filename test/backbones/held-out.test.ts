import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { embeddingOf } from '../../src/backbone/embedding-table.js';
import { mergeEmbeddings } from '../../src/backbone/merge-embeddings.js';
import { layOutModalities } from '../../src/backbone/modality-spans.js';
import { openBundle } from '../../src/backbone/open-bundle.js';
import { renderQuestion } from '../../src/backbone/prompt-template.js';
import { imagePlaceholderId, tokenizePrompt } from '../../src/backbone/tokenize-prompt.js';
import { type Backbone, openBackbone } from '../../src/bench/open-backbone.js';
import { runCells } from '../../src/bench/run-cells.js';
import { MethodSet } from '../../src/compression/method-set.js';
import { convertCheckpoint } from '../../src/convert/convert-checkpoint.js';
import { seededRandom } from '../../src/core/seeded-random.js';
import { Runtime } from '../../src/engine/runtime.js';
import { maxDifference } from '../convert/bundle-sessions.js';
import { referenceLlama } from '../support/reference/llama.js';
import { flat, type Rows } from '../support/reference/rows.js';
import { type HeldOut, writeHeldOut } from './held-out.js';
import { heldOutCases } from './held-out-cases.js';

/** Error allowed, relative to the largest value or 1. */
const tolerance = { vision: 2e-5, text: 1e-4 };
/** Tokens are compared only where the reference is sure of them. */
const sureness = 2e-3;
const newTokens = 4;
const question = 'What changed between <ImageHere> and <ImageHere>?';

/** Everything the engine gives for two images and a question. */
async function runEngine(backbone: Backbone, pixels: readonly Float32Array[]) {
  const { manifest } = backbone.bundle;
  const stages = [];
  for (const image of pixels) stages.push(await backbone.vision.stages(image));
  const inputIds = tokenizePrompt(
    renderQuestion(manifest.prompt, question),
    backbone.tokenizer,
    manifest.tokens,
  );
  const { tokensPerImage } = manifest.vision;
  const { hiddenSize } = manifest.text;
  const prompt = {
    modality: layOutModalities(inputIds, { tokensPerImage }).imageMask,
    embeddings: mergeEmbeddings({
      inputIds,
      imageFeatures: stages.map(({ features }) => features),
      hiddenSize,
      readRow: backbone.embeddings.readRow,
    }),
  };
  const layers: { keys: Float32Array; values: Float32Array; columnSums: Float32Array }[] = [];
  const logits: Float32Array[] = [];
  const { outcomes } = await runCells({
    backbone,
    methods: new MethodSet(),
    prompt,
    seed: 0,
    cells: [{ method: 'full', semantics: 'release', budget: null, firstToken: 'prefill' }],
    decoding: {
      maxNewTokens: newTokens,
      stop: () => null,
      embed: (token) => embeddingOf(backbone.embeddings, token),
    },
    observer: {
      onPrefilled: ({ keys, values, statistics, length }) => {
        const columnSums = statistics.columnSums(length).slice();
        layers.push({ keys: keys.slice(), values: values.slice(), columnSums });
      },
      onLogits: (_cell, seen) => void logits.push(seen.slice()),
    },
  });
  return { stages, inputIds, layers, logits, tokens: outcomes[0]!.generation.tokens };
}

/** The same by the formulas, from nothing but the checkpoint's weights, the pixels and the token ids. */
function runReference({ reference }: HeldOut, pixels: readonly Float32Array[], inputIds: readonly number[]) {
  const { weights, llama, sizes, vision } = reference;
  const table = weights.weight(`${llama.prefix}embed_tokens.weight`);
  const stages = pixels.map((image) => vision(weights, image));
  const width = stages[0]!.features[0]!.length;
  const tokenRow = (id: number): Float64Array =>
    Float64Array.from(table.subarray(id * width, (id + 1) * width));
  const images = stages.map(({ features }) => features);
  const rows = inputIds.flatMap((id) => (id === imagePlaceholderId ? images.shift()! : [tokenRow(id)]));
  const prefill = referenceLlama(weights, llama, rows, sizes);
  const tokens: number[] = [];
  const logits: Float64Array[] = [];
  for (let next = prefill.logits; ; ) {
    logits.push(next);
    tokens.push(next.indexOf(next.reduce((a, b) => Math.max(a, b))));
    if (tokens.length === newTokens) return { stages, prefill, tokens, logits };
    next = referenceLlama(weights, llama, [...rows, ...tokens.map(tokenRow)], sizes).logits;
  }
}

/** Rows [token][heads * headDim] as [heads, tokens, headDim]. */
function headMajor(rows: Rows, heads: number): number[] {
  const size = rows[0]!.length / heads;
  return Array.from({ length: heads }, (_, head) =>
    rows.flatMap((row) => [...row.subarray(head * size, (head + 1) * size)]),
  ).flat();
}

function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let largest = 1;
  for (let i = 0; i < expected.length; i++) largest = Math.max(largest, Math.abs(expected[i]!));
  return maxDifference(actual, expected) / largest;
}

describe.each(heldOutCases)('a random checkpoint of $name', (heldOut) => {
  let scratch: string;
  let backbone: Backbone;
  let engine: Awaited<ReturnType<typeof runEngine>>;
  let reference: ReturnType<typeof runReference>;

  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'lookm-held-out-'));
    const [checkpoint, out] = [join(scratch, 'checkpoint'), join(scratch, 'bundle')];
    await writeHeldOut(checkpoint, heldOut);
    await convertCheckpoint({ checkpoint, out, dtype: 'fp32' });
    backbone = await openBackbone(await openBundle(out, { verify: 'hashes' }), new Runtime({ threads: 1 }));
    const random = seededRandom(3);
    const image = (): Float32Array =>
      Float32Array.from({ length: 3 * heldOut.imageSize ** 2 }, () => 4 * random() - 2);
    const pixels = [image(), image()];
    engine = await runEngine(backbone, pixels);
    reference = runReference(heldOut, pixels, engine.inputIds);
  }, 60_000);
  afterAll(async () => {
    await backbone?.close();
    await rm(scratch, { recursive: true, force: true });
  });

  test('is prompted as LOOK-M prompts its family', () => {
    expect(backbone.bundle.manifest.prompt.name).toBe(heldOut.template);
    expect(engine.inputIds.filter((id) => id === imagePlaceholderId)).toHaveLength(2);
  });

  test('has the features of the formulas', () => {
    for (const [image, expected] of reference.stages.entries()) {
      const actual = engine.stages[image]!;
      expect(relativeError(actual.embeddings, flat(expected.embeddings))).toBeLessThan(tolerance.vision);
      expect(relativeError(actual.tower, flat(expected.tower))).toBeLessThan(tolerance.vision);
      expect(relativeError(actual.features, flat(expected.features))).toBeLessThan(tolerance.vision);
    }
  });

  test('has their keys, values and column sums', () => {
    const { keys, values, columnSums } = reference.prefill;
    const { kvHeads } = heldOut.reference.sizes;
    expect(engine.layers).toHaveLength(keys.length);
    for (const [layer, actual] of engine.layers.entries()) {
      expect(relativeError(actual.keys, headMajor(keys[layer]!, kvHeads))).toBeLessThan(tolerance.text);
      expect(relativeError(actual.values, headMajor(values[layer]!, kvHeads))).toBeLessThan(tolerance.text);
      expect(relativeError(actual.columnSums, flat(columnSums[layer]!))).toBeLessThan(tolerance.text);
    }
  });

  test('has their logits and answers with their tokens', () => {
    for (const [step, expected] of reference.logits.entries()) {
      const [first, second] = [...expected].sort((a, b) => b - a) as [number, number];
      expect(first - second).toBeGreaterThan(sureness);
      expect(relativeError(engine.logits[step]!, expected)).toBeLessThan(tolerance.text);
    }
    expect(engine.tokens).toEqual(reference.tokens);
  });
});
