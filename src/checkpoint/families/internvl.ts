import { join } from 'node:path';
import { z } from 'zod';
import { fileExists } from '../../core/json-file.js';
import { readCheckpointJson } from '../checkpoint-json.js';
import { type ImageProcessing, imageProcessorConfigSchema } from '../image-processor-config.js';
import { headMismatch, llamaShape } from '../llama-config.js';
import { findLlama } from '../llama-weights.js';
import { findMlpProjector } from '../projectors/mlp2x-gelu.js';
import type { SourceFile } from '../source-files.js';
import { internVitConfigSchema, internVitShape } from '../towers/internvit-config.js';
import { findInternVitTower } from '../towers/internvit-weights.js';
import { towerMismatch } from '../towers/vision-shape.js';
import { type BackboneFamily, readConfig, refuseMismatch } from './family.js';
import {
  imageAspect,
  originalConfigSchema,
  originalLlamaNames,
  originalMlpNames,
} from './original-layout.js';
import { towerDirectory, towerFilePrefix } from './tower-directory.js';

const supported =
  'only InternVL-Chat-ViT-6B-Vicuna checkpoints (InternViT-6B tower, two-layer GELU projector, plain Llama) can be used';

/** By these names InternVL's code takes a tower for an InternViT (clip_encoder.py). */
const internVitName = /intern_vit_6b|internvit_6b|InternViT-6B|internvit6b/;

const configSchema = originalConfigSchema.extend({
  model_type: z.enum(['llava', 'llava_llama'], {
    error: 'only InternVL-Chat with a Llama language model is supported',
  }),
  mm_projector_type: z.literal('mlp2x_gelu', { error: 'only mlp2x_gelu is supported' }),
});

/**
 * `OpenGVLab/InternVL-Chat-ViT-6B-Vicuna`: the tower is loaded from the InternViT repository that the config names and
 * run on larger images than it was trained on; copies among the checkpoint's own weights are ignored.
 */
export const internvl: BackboneFamily = {
  family: 'internvl',
  layout: 'internvl',
  template: 'internlm2-chat',
  supported,
  towerRepository: { preprocessor: false, weights: true },
  recognises: ({ mm_vision_tower: tower }) => typeof tower === 'string' && internVitName.test(tower),
  async read(place) {
    const config = await readConfig(place, configSchema, supported);
    const dir = await towerDirectory(place, config.mm_vision_tower);
    const towerConfig = await readCheckpointJson(join(dir, 'config.json'), internVitConfigSchema, supported);
    const { image, sourceFiles } = await readImageProcessing(place.path, config.mm_vision_tower);
    const selectLayer = config.mm_vision_select_layer;
    const mismatch = towerMismatch({ ...towerConfig, image_size: image.size }, selectLayer);
    refuseMismatch(place, [headMismatch(config), mismatch], supported);
    const text = { shape: llamaShape(config), tied: config.tie_word_embeddings ?? false };
    const vision = internVitShape(towerConfig, { selectLayer, imageSize: image.size });
    const projector = { from: vision.hiddenSize, to: text.shape.hiddenSize, tokens: vision.patches };
    return {
      text: config,
      image,
      aspect: imageAspect(config),
      towerWeights: { dir, name: towerFilePrefix },
      sourceFiles: [
        { path: join(dir, 'config.json'), name: `${towerFilePrefix}config.json` },
        ...sourceFiles,
      ],
      find: ({ model, tower }) => ({
        text: findLlama(model, originalLlamaNames, text),
        tower: findInternVitTower(tower, '', vision),
        projector: findMlpProjector(model, originalMlpNames, projector),
      }),
    };
  },
};

/** What InternVL's code does with images, whatever the tower's repository says (clip_encoder.py). */
export function builtInProcessing(tower: string): ImageProcessing {
  return {
    size: tower.includes('448') ? 448 : 336,
    mean: [0.485, 0.456, 0.406],
    std: [0.229, 0.224, 0.225],
    rescaleFactor: 1 / 255,
  };
}

/** The checkpoint's own `preprocessor_config.json`, else what InternVL's code has built in. */
async function readImageProcessing(
  path: string,
  tower: string,
): Promise<{ image: ImageProcessing; sourceFiles: readonly SourceFile[] }> {
  const name = 'preprocessor_config.json';
  const file = { path: join(path, name), name };
  if (!(await fileExists(file.path))) return { image: builtInProcessing(tower), sourceFiles: [] };
  const image = await readCheckpointJson(file.path, imageProcessorConfigSchema, supported);
  return { image, sourceFiles: [file] };
}
