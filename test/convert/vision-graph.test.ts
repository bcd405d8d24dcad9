import { join } from 'node:path';
import { expect, test } from 'vitest';
import { convertCheckpoint } from '../../src/convert/convert-checkpoint.js';
import { seededRandom } from '../../src/core/seeded-random.js';
import { scratchDirectory } from '../checkpoint/scratch-directory.js';
import { syntheticCheckpoint, writeCheckpoint } from '../checkpoint/synthetic-checkpoint.js';
import { anyPrompt, maxDifference, runVision } from './bundle-sessions.js';
import { referenceVision } from './reference-clip.js';

const cases = [
  { activation: 'quick_gelu', selectLayer: -2, state: 2 },
  { activation: 'gelu', selectLayer: -2, state: 2 },
  { activation: 'quick_gelu', selectLayer: -1, state: 3 },
  { activation: 'quick_gelu', selectLayer: 1, state: 1 },
] as const;

test.each(cases)(
  'the vision graph equals a float64 CLIP with $activation and layer $selectLayer',
  async ({ activation, selectLayer, state }) => {
    const scratch = scratchDirectory();
    const checkpoint = syntheticCheckpoint();
    checkpoint.config.vision_config['hidden_act'] = activation;
    checkpoint.config['vision_feature_layer'] = selectLayer;
    const dir = join(scratch, 'bundle');
    const manifest = await convertCheckpoint({
      checkpoint: await writeCheckpoint(join(scratch, 'checkpoint'), checkpoint),
      out: dir,
      dtype: 'fp32',
      prompt: anyPrompt,
    });
    expect(manifest.vision.layers).toBe(state);
    const random = seededRandom(4);
    const pixels = Float32Array.from({ length: 3 * 12 * 12 }, () => 4 * random() - 2);

    const expected = referenceVision(checkpoint, pixels, { state, activation });
    const outputs = await runVision(dir, manifest, pixels);

    const largest = Math.max(1, ...expected.features.map(Math.abs));
    expect(maxDifference(outputs.tower, expected.tower)).toBeLessThan(1e-4);
    expect(maxDifference(outputs.features, expected.features) / largest).toBeLessThan(1e-5);
  },
);
