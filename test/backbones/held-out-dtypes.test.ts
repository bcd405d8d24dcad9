import { join } from 'node:path';
import { expect, test } from 'vitest';
import { convertCheckpoint } from '../../src/convert/convert-checkpoint.js';
import type { DtypeOptions } from '../../src/convert/weight-formats.js';
import { seededRandom } from '../../src/core/seeded-random.js';
import { scratchDirectory } from '../checkpoint/scratch-directory.js';
import { maxDifference, runVision } from '../convert/bundle-sessions.js';
import { multiplyWithFloats, storedMatrices } from '../convert/stored-matrices.js';
import { flat } from '../support/reference/rows.js';
import { writeHeldOut } from './held-out.js';
import { heldOutCases } from './held-out-cases.js';

/** Names in the checkpoint of the matrices of a vision graph: N is the layer. */
const checkpointNames: Record<string, Record<string, string>> = {
  mobilevlm: {
    ...Object.fromEntries(
      ['q', 'k', 'v', 'out'].map((part) => [
        `vision.N.${part}.weight`,
        `model.vision_tower.vision_tower.vision_model.encoder.layers.N.self_attn.${part}_proj.weight`,
      ]),
    ),
    ...Object.fromEntries(
      ['fc1', 'fc2'].map((part) => [
        `vision.N.${part}.weight`,
        `model.vision_tower.vision_tower.vision_model.encoder.layers.N.mlp.${part}.weight`,
      ]),
    ),
    'projector.1.weight': 'model.mm_projector.mlp.mlp.0.weight',
    'projector.2.weight': 'model.mm_projector.mlp.mlp.2.weight',
  },
  internvl: {
    'vision.N.qkv.weight': 'encoder.layers.N.attn.qkv.weight',
    'vision.N.proj.weight': 'encoder.layers.N.attn.proj.weight',
    'vision.N.fc1.weight': 'encoder.layers.N.mlp.fc1.weight',
    'vision.N.fc2.weight': 'encoder.layers.N.mlp.fc2.weight',
    'projector.1.weight': 'model.mm_projector.0.weight',
    'projector.2.weight': 'model.mm_projector.2.weight',
  },
};

const formats: DtypeOptions[] = [
  { dtype: 'fp16' },
  { dtype: 'int4' },
  { dtype: 'fp32', visionDtype: 'int4' },
];
const cases = heldOutCases.flatMap((heldOut) => {
  const names = checkpointNames[heldOut.name.split(',')[0]!];
  if (names === undefined) return [];
  return formats.map((options) => ({
    heldOut,
    names,
    options,
    what: `${heldOut.name}, ${Object.values(options).join(' ')}`,
  }));
});

test.each(cases)(
  'every matrix of tower and projector is stored in its type and multiplied as stored: $what',
  async ({ heldOut, names, options }) => {
    const scratch = scratchDirectory();
    const [checkpoint, out] = [join(scratch, 'checkpoint'), join(scratch, 'bundle')];
    await writeHeldOut(checkpoint, heldOut);
    const manifest = await convertCheckpoint({ checkpoint, out, ...options });
    await multiplyWithFloats(out);
    const random = seededRandom(6);
    const { imageSize, layers } = manifest.vision;
    const pixels = Float32Array.from({ length: 3 * imageSize ** 2 }, () => 4 * random() - 2);

    const stored = await storedMatrices(out);
    const values = new Map<string, Float32Array>();
    for (const [inGraph, inCheckpoint] of Object.entries(names)) {
      for (let layer = 0; layer < (inGraph.includes('N') ? layers : 1); layer++) {
        const numbers = stored.get(inGraph.replace('N', String(layer)))!;
        expect(numbers.format?.dtype ?? 'float').toBe(
          manifest.weights.vision.dtype.replace(/^fp.*/, 'float'),
        );
        values.set(inCheckpoint.replace('N', String(layer)), numbers.values);
      }
    }
    expect([...stored.keys()].filter((name) => /^(vision|projector)/.test(name))).toHaveLength(values.size);

    const weight = (name: string): Float32Array => values.get(name) ?? heldOut.reference.weights.weight(name);
    const expected = heldOut.reference.vision({ weight }, pixels);
    const actual = await runVision(out, manifest, pixels);
    for (const part of ['tower', 'features'] as const) {
      const wanted = flat(expected[part]);
      const largest = Math.max(1, ...wanted.map(Math.abs));
      expect(maxDifference(actual[part], wanted) / largest).toBeLessThan(2e-5);
    }
  },
);
