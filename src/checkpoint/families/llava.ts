import { z } from 'zod';
import { headMismatch, llamaShape } from '../llama-config.js';
import { findLlama } from '../llama-weights.js';
import { findMlpProjector } from '../projectors/mlp2x-gelu.js';
import { clipShape } from '../towers/clip-config.js';
import { findClipTower } from '../towers/clip-weights.js';
import { readClipFolder } from './clip-folder.js';
import { type BackboneFamily, readConfig, refuseMismatch } from './family.js';
import {
  imageAspect,
  originalConfigSchema,
  originalLlamaNames,
  originalMlpNames,
} from './original-layout.js';
import { towerFilePrefix } from './tower-directory.js';

const supported =
  'only LLaVA-1.5 checkpoints (CLIP tower, two-layer GELU projector, plain Llama) can be used';

const configSchema = originalConfigSchema.extend({
  model_type: z.enum(['llava', 'llava_llama'], {
    error: 'only LLaVA with a Llama language model is supported',
  }),
  mm_projector_type: z.literal('mlp2x_gelu', { error: 'only mlp2x_gelu is supported' }),
});

/**
 * `liuhaotian/llava-v1.5`: the tower is loaded from the CLIP repository that the config names; copies among the
 * checkpoint's own weights are ignored, as LLaVA ignores them.
 */
export const llava: BackboneFamily = {
  family: 'llava',
  layout: 'llava',
  template: 'llava_llama_2',
  supported,
  towerRepository: { preprocessor: true, weights: true },
  recognises: ({ mm_vision_tower }) => mm_vision_tower !== undefined,
  async read(place) {
    const config = await readConfig(place, configSchema, supported);
    const selectLayer = config.mm_vision_select_layer;
    const clip = await readClipFolder(place, { named: config.mm_vision_tower, selectLayer, supported });
    refuseMismatch(place, [headMismatch(config), clip.mismatch], supported);
    const text = { shape: llamaShape(config), tied: config.tie_word_embeddings ?? false };
    const vision = clipShape(clip.config, selectLayer);
    const projector = { from: vision.hiddenSize, to: text.shape.hiddenSize, tokens: vision.patches };
    return {
      text: config,
      image: clip.image,
      aspect: imageAspect(config),
      towerWeights: { dir: clip.dir, name: towerFilePrefix },
      sourceFiles: clip.sourceFiles,
      find: ({ model, tower }) => ({
        text: findLlama(model, originalLlamaNames, text),
        tower: findClipTower(tower, 'vision_model.', vision),
        projector: findMlpProjector(model, originalMlpNames, projector),
      }),
    };
  },
};
