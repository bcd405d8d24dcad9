import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BundleManifest } from '../../src/backbone/bundle-manifest.js';
import { convertCheckpoint } from '../../src/convert/convert-checkpoint.js';
import { float32Values, readSafetensors } from '../support/read-safetensors.js';
import { anyPrompt, maxDifference, type PrefillResult, runSegments, runVision } from './bundle-sessions.js';

const fixtures = join(import.meta.dirname, '..', 'fixtures');
const models = join(import.meta.dirname, '..', '..', 'models');

/** The reference codes agree with a float64 Llama within these (README of the fixtures). */
const tolerance = { activation: 1e-4, logits: 2e-4 };

interface GoldenCase {
  name: string;
  checkpoint: string;
  golden: string;
  pixels: string;
  /** Tensors that only one of the goldens has. */
  towerTensors: boolean;
  /** Vocabulary rows the golden knows. */
  logits: { file: string; name: string };
}

const llava = join(fixtures, 'backbones', 'llava', 'golden.safetensors');
const hf = join(fixtures, 'backbones', 'llava-hf', 'golden.safetensors');
const mobilevlm = join(fixtures, 'backbones', 'mobilevlm', 'golden.safetensors');
const internvl = join(fixtures, 'backbones', 'internvl', 'golden.safetensors');
const embedded = join(fixtures, 'embedded', 'golden_sample.safetensors');
const cases: GoldenCase[] = [
  {
    name: 'llava',
    checkpoint: join(fixtures, 'backbones', 'llava'),
    golden: llava,
    pixels: 'pixel_values_pad',
    towerTensors: true,
    logits: { file: llava, name: 'logits_last' },
  },
  {
    name: 'llava-hf',
    checkpoint: join(fixtures, 'backbones', 'llava-hf'),
    golden: llava,
    pixels: 'pixel_values_pad',
    towerTensors: true,
    logits: { file: hf, name: 'logits_last' },
  },
  {
    name: 'mobilevlm',
    checkpoint: join(fixtures, 'backbones', 'mobilevlm'),
    golden: mobilevlm,
    pixels: 'pixel_values_pad',
    towerTensors: true,
    logits: { file: mobilevlm, name: 'logits_last' },
  },
  {
    name: 'internvl',
    checkpoint: join(fixtures, 'backbones', 'internvl'),
    golden: internvl,
    pixels: 'pixel_values_pad',
    towerTensors: true,
    logits: { file: internvl, name: 'logits_last' },
  },
  {
    name: 'tiny-llava',
    checkpoint: join(models, 'tiny-llava'),
    golden: embedded,
    pixels: 'pixel_values',
    towerTensors: false,
    logits: { file: embedded, name: 'logits_last' },
  },
];

describe.each(cases)('the bundle of $name agrees with the reference code', (golden) => {
  const values = readSafetensors(golden.golden);
  let scratch: string;
  let dir: string;
  let manifest: BundleManifest;
  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'lookm-golden-'));
    dir = join(scratch, 'bundle');
    manifest = await convertCheckpoint({
      checkpoint: golden.checkpoint,
      out: dir,
      dtype: 'fp32',
      prompt: anyPrompt,
    });
  });
  afterAll(() => rm(scratch, { recursive: true, force: true }));

  test('in the tower and the projector, image by image', async () => {
    const pixels = float32Values(values, golden.pixels);
    const { imageSize, patches, tokensPerImage, hiddenSize: width } = manifest.vision;
    const perImage = 3 * imageSize ** 2;
    const projected = float32Values(values, 'projector_output');
    const perFeature = tokensPerImage * manifest.text.hiddenSize;
    expect(projected.length).toBe((pixels.length / perImage) * perFeature);
    for (let image = 0; image < pixels.length / perImage; image++) {
      const out = await runVision(dir, manifest, pixels.slice(image * perImage, (image + 1) * perImage));
      const features = projected.subarray(image * perFeature, (image + 1) * perFeature);
      expect(maxDifference(out.features, features)).toBeLessThan(tolerance.activation);
      if (!golden.towerTensors) continue;
      const perTower = patches * width;
      const tower = float32Values(values, 'vision_tower_output');
      expect(maxDifference(out.tower, tower.subarray(image * perTower, (image + 1) * perTower))).toBeLessThan(
        tolerance.activation,
      );
      if (image > 0) continue;
      const embeddings = float32Values(values, 'vision_embeddings_image0');
      expect(maxDifference(out.embeddings, embeddings)).toBeLessThan(tolerance.activation);
    }
  });

  describe('in the language model', () => {
    let prefill: PrefillResult;
    beforeAll(async () => {
      prefill = await runSegments(dir, manifest, float32Values(values, 'inputs_embeds'));
    });

    test('keys and values of every layer', () => {
      expect(prefill.keys).toHaveLength(manifest.text.layers);
      for (let layer = 0; layer < manifest.text.layers; layer++) {
        const keys = float32Values(values, `k.${layer}`);
        const cached = float32Values(values, `v.${layer}`);
        expect(maxDifference(prefill.keys[layer]!, keys)).toBeLessThan(tolerance.activation);
        expect(maxDifference(prefill.values[layer]!, cached)).toBeLessThan(tolerance.activation);
      }
    });

    test('logits of the last row', () => {
      const { file, name } = golden.logits;
      expect(maxDifference(prefill.logits, float32Values(readSafetensors(file), name))).toBeLessThan(
        tolerance.logits,
      );
    });
  });
});
