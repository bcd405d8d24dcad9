import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openBundle } from '../../src/backbone/open-bundle.js';
import { openTokenizer } from '../../src/backbone/tokenizer.js';
import { randomModel } from '../../src/checkpoint/random/random-model.js';
import { randomModelNames } from '../../src/checkpoint/random/random-model-names.js';
import { randomModels } from '../../src/checkpoint/random/random-models.js';
import { convertRandom } from '../../src/convert/convert-random.js';
import { sha256 } from '../../src/core/content-hash.js';
import { seededRandom } from '../../src/core/seeded-random.js';
import { elementCount } from '../../src/core/tensor.js';
import { scratchDirectory } from '../checkpoint/scratch-directory.js';
import { smallRandomModel } from '../support/small-random-model.js';
import { runSegments, runVision } from './bundle-sessions.js';

async function convert(
  options: { layers?: number; seed?: number; dtype?: 'fp32' | 'int4'; positions?: number } = {},
) {
  const { layers, seed = 0, dtype = 'int4', positions } = options;
  const out = join(scratchDirectory(), 'small');
  const model = { sizes: smallRandomModel, seed, layers };
  const manifest = await convertRandom({ out, dtype, positions, model });
  return { out, manifest };
}

async function contents(dir: string): Promise<Record<string, string>> {
  const names = await readdir(dir);
  const hashes = await Promise.all(names.map(async (name) => sha256(await readFile(join(dir, name)))));
  return Object.fromEntries(names.map((name, i) => [name, hashes[i]!]));
}

test('a random bundle is whole, says that it is random, and the same again', async () => {
  const { out, manifest } = await convert({ layers: 1 });
  expect(manifest.source).toEqual({ kind: 'random', model: 'small', seed: 0, modelLayers: 32 });
  expect(manifest).toMatchObject({ name: 'small', family: 'llava', prompt: { name: 'llava_llama_2' } });
  const opened = await openBundle(out, { verify: 'hashes' });
  expect(opened.manifest).toEqual(manifest);
  const tokenizer = await openTokenizer(out);
  expect(Math.max(...tokenizer.encode('What is in the image?'))).toBeLessThan(manifest.text.vocabSize);
  expect(await contents((await convert({ layers: 1 })).out)).toEqual(await contents(out));
  const other = await contents((await convert({ layers: 1, seed: 1 })).out);
  expect(other['weights.bin']).not.toBe((await contents(out))['weights.bin']);
});

test('more positions than the model was made for change nothing at those it has', async () => {
  const usual = await convert({ layers: 2, dtype: 'fp32' });
  const longer = await convert({ layers: 2, dtype: 'fp32', positions: 5000 });
  expect(usual.manifest.text.maxPositions).toBe(4096);
  expect(longer.manifest.text.maxPositions).toBe(5000);
  const random = seededRandom(3);
  const embeddings = Float32Array.from({ length: 9 * 64 }, () => random() - 0.5);
  const [own, same] = [
    await runSegments(usual.out, usual.manifest, embeddings),
    await runSegments(longer.out, longer.manifest, embeddings),
  ];
  expect(same.keys).toEqual(own.keys);
  expect(same.logits).toEqual(own.logits);
});

test.each(['fp32', 'int4'] as const)('32 layers of random weights keep numbers finite: %s', async (dtype) => {
  const { out, manifest } = await convert({ dtype });
  const random = seededRandom(1);
  const { features } = await runVision(
    out,
    manifest,
    Float32Array.from({ length: 3 * 28 * 28 }, () => 4 * random() - 2),
  );
  const embeddings = Float32Array.from([
    ...features,
    ...Array.from({ length: 12 * 64 }, () => 0.02 * (2 * random() - 1)),
  ]);
  const { keys, logits } = await runSegments(out, manifest, embeddings);
  expect(features.every(Number.isFinite)).toBe(true);
  expect(keys).toHaveLength(32);
  for (const numbers of [...keys, logits]) {
    const size = Math.sqrt(numbers.reduce((sum, x) => sum + x * x, 0) / numbers.length);
    expect(size).toBeGreaterThan(1e-3);
    expect(size).toBeLessThan(1e3);
  }
});

test('layers can be left out, which the manifest shows', async () => {
  const { manifest } = await convert({ layers: 2 });
  expect(manifest.text.layers).toBe(2);
  expect(manifest.vision.layers).toBe(2);
  expect(manifest.graphs.segments).toHaveLength(3);
  expect(manifest.source).toMatchObject({ modelLayers: 32 });
});

/** Parameters in billions of language model, tower and projector, as the presets state them, used layers only. */
const billions: Record<(typeof randomModelNames)[number], number> = {
  'llava-1.5-7b': 7.06,
  'llava-1.5-13b': 13.35,
  'mobilevlm-v2-1.7b': 1.67,
  'mobilevlm-v2-3b': 3.01,
  'mobilevlm-v2-7b': 7.06,
  'internvl-chat-7b': 12.67,
  'internvl-chat-13b': 18.96,
};

test.each(randomModelNames)('%s has as many parameters as the published model', (name) => {
  const sizes = randomModels[name];
  let count = 0;
  sizes.find(
    {
      has: () => true,
      plain: (_, dims) => counted('plain', dims),
      matrix: (_, dims) => counted('matrix', dims),
    },
    Number.POSITIVE_INFINITY,
  );
  function counted<Role, Dims extends readonly number[]>(role: Role, dims: Dims) {
    count += elementCount(dims);
    return { source: randomSource, name: '', dtype: 'F16' as const, role, dims };
  }
  expect(count / 1e9).toBeGreaterThan(0.95 * billions[name]);
  expect(count / 1e9).toBeLessThan(1.01 * billions[name]);
});

const randomSource = randomModel({ sizes: smallRandomModel, seed: 0 }).text.weights.embedding.source;
