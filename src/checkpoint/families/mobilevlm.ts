import { z } from 'zod';
import { headMismatch, llamaShape } from '../llama-config.js';
import { findLlama } from '../llama-weights.js';
import { findLdpProjector } from '../projectors/ldpnetv2.js';
import { clipShape } from '../towers/clip-config.js';
import { findClipTower } from '../towers/clip-weights.js';
import { readClipFolder } from './clip-folder.js';
import { type BackboneFamily, readConfig, refuseMismatch } from './family.js';
import { imageAspect, originalConfigSchema, originalLlamaNames } from './original-layout.js';

const supported = 'only MobileVLM_V2 checkpoints (CLIP tower, LDPNetV2 projector, MobileLLaMA) can be used';

const configSchema = originalConfigSchema.extend({
  model_type: z.literal('mobilevlm'),
  mm_projector_type: z.literal('ldpnetv2', { error: 'only ldpnetv2 is supported' }),
  vision_tower_type: z.literal('clip', { error: 'only clip is supported' }).default('clip'),
});

/**
 * `mtgv/MobileVLM_V2`: the tower is fine-tuned and part of the checkpoint; of the CLIP repository only the configs are
 * read.
 */
export const mobilevlm: BackboneFamily = {
  family: 'mobilevlm',
  layout: 'mobilevlm',
  template: 'v1',
  supported,
  towerRepository: { preprocessor: true, weights: false },
  recognises: ({ model_type }) => model_type === 'mobilevlm',
  async read(place) {
    const config = await readConfig(place, configSchema, supported);
    const selectLayer = config.mm_vision_select_layer;
    const clip = await readClipFolder(place, { named: config.mm_vision_tower, selectLayer, supported });
    refuseMismatch(place, [headMismatch(config), clip.mismatch], supported);
    const text = { shape: llamaShape(config), tied: config.tie_word_embeddings ?? false };
    const vision = clipShape(clip.config, selectLayer);
    const widths = { from: vision.hiddenSize, to: text.shape.hiddenSize };
    return {
      text: config,
      image: clip.image,
      aspect: imageAspect(config),
      towerWeights: undefined,
      sourceFiles: clip.sourceFiles,
      find: ({ model }) => ({
        text: findLlama(model, originalLlamaNames, text),
        tower: findClipTower(model, 'model.vision_tower.vision_tower.vision_model.', vision),
        projector: findLdpProjector(model, 'model.mm_projector.', widths),
      }),
    };
  },
};
