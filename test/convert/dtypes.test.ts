import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { BundleManifest } from '../../src/backbone/bundle-manifest.js';
import { convertCheckpoint } from '../../src/convert/convert-checkpoint.js';
import type { DtypeOptions } from '../../src/convert/weight-formats.js';
import { sha256 } from '../../src/core/content-hash.js';
import { seededRandom } from '../../src/core/seeded-random.js';
import { scratchDirectory } from '../checkpoint/scratch-directory.js';
import {
  type SyntheticCheckpoint,
  syntheticCheckpoint,
  writeCheckpoint,
} from '../checkpoint/synthetic-checkpoint.js';
import type { RoundOperand } from '../support/reference/rows.js';
import { anyPrompt, maxDifference, runSegments, runVision } from './bundle-sessions.js';
import { referenceVision } from './reference-clip.js';
import { referencePrefill } from './reference-llama.js';
import { multiplyWithFloats, type StoredNumbers, storedMatrices } from './stored-matrices.js';

/** Widths that are no multiple of a block, and one of several blocks. */
const shape = {
  ...{ hidden: 72, intermediate: 200, heads: 3, kvHeads: 3, headDim: 24, vocabulary: 60 },
  ...{ towerWidth: 40, towerWide: 136, towerHeads: 2 },
};

const formats: DtypeOptions[] = [
  { dtype: 'fp16' },
  { dtype: 'fp16', visionDtype: 'fp32' },
  { dtype: 'int4' },
  { dtype: 'int4', blockSize: 64, visionDtype: 'int4' },
  { dtype: 'int4', blockSize: 128, visionDtype: 'fp32' },
  { dtype: 'fp32', visionDtype: 'int8' },
];
const cases = formats.map((options) => ({ name: Object.values(options).join(' '), options }));

async function convert(checkpoint: SyntheticCheckpoint, options: DtypeOptions) {
  const scratch = scratchDirectory();
  const dir = join(scratch, 'bundle');
  const source = await writeCheckpoint(join(scratch, 'checkpoint'), checkpoint);
  const manifest = await convertCheckpoint({ checkpoint: source, out: dir, prompt: anyPrompt, ...options });
  return { dir, manifest };
}

/** Name in the checkpoint of a matrix named as in the graphs. */
function checkpointName(name: string): string {
  if (name === 'head') return 'lm_head.weight';
  const [part, number, rest] = name.split('.');
  if (part === 'projector') return `model.multi_modal_projector.linear_${number}.weight`;
  if (part === 'layers') {
    const block = ['gate', 'up', 'down'].includes(rest!) ? 'mlp' : 'self_attn';
    return `model.language_model.layers.${number}.${block}.${rest}_proj.weight`;
  }
  const inner = rest!.startsWith('fc') ? `mlp.${rest}` : `self_attn.${rest}_proj`;
  return `model.vision_tower.vision_model.encoder.layers.${number}.${inner}.weight`;
}

async function byCheckpointName(dir: string): Promise<Map<string, StoredNumbers>> {
  const stored = [...(await storedMatrices(dir))];
  return new Map(stored.map(([name, numbers]) => [checkpointName(name), numbers]));
}

/** The checkpoint with the numbers that the bundle stores in place of its own. */
function asStored(
  checkpoint: SyntheticCheckpoint,
  stored: ReadonlyMap<string, StoredNumbers>,
): SyntheticCheckpoint {
  const weights = new Map(checkpoint.weights);
  for (const [name, { values }] of stored) weights.set(name, { ...weights.get(name)!, values });
  return { ...checkpoint, weights };
}

const length = 7;
const random = seededRandom(5);
const embeddings = Float32Array.from({ length: length * shape.hidden }, () => random() - 0.5);
const rows = Array.from({ length }, (_, t) =>
  Float64Array.from(embeddings.subarray(t * shape.hidden, (t + 1) * shape.hidden)),
);
const pixels = Float32Array.from({ length: 3 * 12 * 12 }, () => 4 * random() - 2);
const tower = { state: 2, activation: 'quick_gelu' } as const;

async function run(dir: string, manifest: BundleManifest) {
  const { logits } = await runSegments(dir, manifest, embeddings);
  const { features } = await runVision(dir, manifest, pixels);
  return { logits, features };
}

function reference(checkpoint: SyntheticCheckpoint, roundOperand?: RoundOperand) {
  const { logits } = referencePrefill(checkpoint, rows, roundOperand);
  const { features } = referenceVision(checkpoint, pixels, tower, roundOperand);
  return { logits, features };
}

/** Root mean square of the differences, relative to that of the second. */
function relative(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let squares = 0;
  let all = 0;
  for (let i = 0; i < b.length; i++) {
    squares += (a[i]! - b[i]!) ** 2;
    all += b[i]! ** 2;
  }
  return Math.sqrt(squares / all);
}

test.each(cases)(
  'the stored numbers of $name are multiplied as a float64 model multiplies them',
  async ({ options }) => {
    const checkpoint = syntheticCheckpoint(shape);
    const { dir, manifest } = await convert(checkpoint, options);
    await multiplyWithFloats(dir);
    const stored = await byCheckpointName(dir);
    expect(stored.size).toBe(2 * 7 + 1 + 2 * 6 + 2);
    const found = await run(dir, manifest);
    const expected = reference(asStored(checkpoint, stored));
    for (const part of ['logits', 'features'] as const) {
      const largest = Math.max(1, ...expected[part].map(Math.abs));
      expect(maxDifference(found[part], expected[part]) / largest).toBeLessThan(1e-5);
    }
  },
);

test('products of the bundle round their left operand to int8 with one scale a block, and do nothing else', async () => {
  const checkpoint = syntheticCheckpoint(shape);
  const { dir, manifest } = await convert(checkpoint, { dtype: 'int4', blockSize: 64 });
  const stored = await byCheckpointName(dir);
  const exact = asStored(checkpoint, stored);
  const found = await run(dir, manifest);
  const unrounded = reference(exact);
  const rounded = reference(exact, (row, name) => {
    const { blockSize = row.length } = stored.get(name)?.format ?? {};
    return row.map((x, i) => {
      const start = i - (i % blockSize);
      const step = Math.max(...row.subarray(start, start + blockSize).map(Math.abs)) / 127;
      return step === 0 ? 0 : Math.round(x / step) * step;
    });
  });
  for (const part of ['logits', 'features'] as const) {
    expect(relative(found[part], rounded[part])).toBeLessThan(relative(unrounded[part], rounded[part]) / 100);
  }
});

test('the same checkpoint and types give the same bytes', async () => {
  const checkpoint = syntheticCheckpoint(shape);
  const options = { dtype: 'int4', blockSize: 128 } as const;
  const [once, again] = [await convert(checkpoint, options), await convert(checkpoint, options)];
  for (const name of await readdir(once.dir)) {
    const contents = await Promise.all([once, again].map(({ dir }) => readFile(join(dir, name))));
    expect(sha256(contents[0]!)).toBe(sha256(contents[1]!));
  }
});

test('the manifest says what the types cost, by kind of matrix', async () => {
  const checkpoint = syntheticCheckpoint(shape);
  const { dir, manifest } = await convert(checkpoint, { dtype: 'int4' });
  expect(manifest.weights).toEqual({
    layers: { dtype: 'int4', blockSize: 32 },
    head: { dtype: 'int8', blockSize: 128 },
    vision: { dtype: 'int8', blockSize: 128 },
  });
  const stored = await byCheckpointName(dir);
  const down = [0, 1].map((layer) => {
    const tensor = `model.language_model.layers.${layer}.mlp.down_proj.weight`;
    return { tensor, error: relative(stored.get(tensor)!.values, checkpoint.weights.get(tensor)!.values) };
  });
  const worst = down[0]!.error > down[1]!.error ? down[0]! : down[1]!;
  const part = manifest.matrices.find((each) => each.part === 'layers.down')!;
  // 72 rows of seven blocks: 16 bytes of values, a float32 and half a byte each, whole bytes a row.
  expect(part).toMatchObject({ dtype: 'int4', count: 2, bytes: 2 * 72 * (7 * 20 + 4) });
  expect(part.meanError).toBeCloseTo((down[0]!.error + down[1]!.error) / 2, 6);
  expect(part.worst.tensor).toBe(worst.tensor);
  expect(part.worst.error).toBeCloseTo(worst.error, 6);
  expect(manifest.matrices.map((each) => each.part).sort()).toEqual(
    [
      ...['q', 'k', 'v', 'o', 'gate', 'up', 'down'].map((name) => `layers.${name}`),
      'text.head',
      ...['q', 'k', 'v', 'out', 'fc1', 'fc2'].map((name) => `vision.${name}Weight`),
      ...['projector.weight1', 'projector.weight2'],
    ].sort(),
  );
  const plain = await convert(checkpoint, { dtype: 'fp32' });
  expect(plain.manifest.matrices.every(({ worst: { error } }) => error === 0)).toBe(true);
});

test('float16 keeps a float16 checkpoint to the bit and says what it cost of another', async () => {
  const checkpoint = syntheticCheckpoint(shape);
  const lossless = await convert(checkpoint, { dtype: 'fp16' });
  expect(lossless.manifest.matrices.every(({ worst: { error } }) => error === 0)).toBe(true);
  const name = 'lm_head.weight';
  const { dims, values } = checkpoint.weights.get(name)!;
  checkpoint.weights.set(name, { dims, values: values.map((x) => x + 2 ** -14) });
  const lossy = await convert(checkpoint, { dtype: 'fp16' });
  const head = lossy.manifest.matrices.find(({ part }) => part === 'text.head')!;
  expect(head.meanError).toBeGreaterThan(0);
  expect(head.meanError).toBeLessThan(2 ** -11);
});

test.each([
  ['fp16', 65520, 'holds 65520, which float16 cannot'],
  ['fp16', Number.NaN, 'holds NaN, which float16 cannot'],
  ['int4', Number.POSITIVE_INFINITY, 'holds numbers that are not finite'],
] as const)('%s refuses a weight of %s and names the tensor', async (dtype, weight, what) => {
  const checkpoint = syntheticCheckpoint(shape);
  const name = 'model.language_model.layers.1.mlp.up_proj.weight';
  checkpoint.weights.get(name)!.values[70] = weight;
  await expect(convert(checkpoint, { dtype })).rejects.toThrow(`${name}: ${what}`);
});
