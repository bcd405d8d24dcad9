import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { familyOf } from '../../src/checkpoint/families/registry.js';
import { estimateBundleBytes } from '../../src/convert/estimate-bundle.js';

/** Configs of LLaVA-1.5-7B as published, as far as they matter for sizes. */
const configs = {
  'config.json': {
    ...{ model_type: 'llava_llama', hidden_size: 4096, intermediate_size: 11008, vocab_size: 32000 },
    ...{ num_hidden_layers: 32, num_attention_heads: 32, max_position_embeddings: 4096 },
    ...{ mm_vision_tower: 'openai/clip-vit-large-patch14-336', mm_projector_type: 'mlp2x_gelu' },
  },
  'clip/config.json': {
    vision_config: {
      ...{ hidden_size: 1024, intermediate_size: 4096, num_hidden_layers: 24, num_attention_heads: 16 },
      ...{ image_size: 336, patch_size: 14 },
    },
  },
  'clip/preprocessor_config.json': { size: 336, crop_size: 336 },
};

test('the size of a bundle is known from the configs of its checkpoint', async () => {
  const checkpoint = await mkdtemp(path.join(tmpdir(), 'lookm-estimate-'));
  onTestFinished(() => rm(checkpoint, { recursive: true, force: true }));
  await mkdir(path.join(checkpoint, 'clip'));
  for (const [name, config] of Object.entries(configs)) {
    await writeFile(path.join(checkpoint, name), JSON.stringify(config));
  }
  const description = await (await familyOf(checkpoint)).read({ path: checkpoint, vision: undefined });
  // Counted by hand: 32 layers of 4 attention and 3 MLP matrices, token rows and output matrix.
  const layers = 32 * (4 * 4096 ** 2 + 3 * 4096 * 11008);
  const rows = 32000 * 4096;
  // 23 of 24 tower layers of 12 squares each, patches and positions, and the projector.
  const vision = 23 * 12 * 1024 ** 2 + 1024 * (3 * 14 ** 2 + 577) + 4096 * (1024 + 4096);
  const expected = {
    fp32: 4 * (layers + rows + vision) + 2 * rows,
    fp16: 2 * (layers + rows + vision) + 2 * rows,
    // Half a byte a weight, and a float32 scale and half a byte of zero point for 32 of them.
    int4: layers * (0.5 + 4.5 / 32) + (rows + vision) * (1 + 5 / 128) + 2 * rows,
  };
  for (const dtype of ['fp32', 'fp16', 'int4'] as const) {
    const share = estimateBundleBytes(description, { dtype }) / expected[dtype];
    expect(Math.abs(share - 1), dtype).toBeLessThan(0.01);
  }
});
