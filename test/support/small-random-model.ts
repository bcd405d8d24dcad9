import { llava } from '../../src/checkpoint/families/llava.js';
import { originalLlamaNames, originalMlpNames } from '../../src/checkpoint/families/original-layout.js';
import { findLlama } from '../../src/checkpoint/llama-weights.js';
import { findMlpProjector } from '../../src/checkpoint/projectors/mlp2x-gelu.js';
import type { RandomModel } from '../../src/checkpoint/random/random-models.js';
import { findClipTower } from '../../src/checkpoint/towers/clip-weights.js';

/** A model like the published ones, too small to wait for. */
export const smallRandomModel: RandomModel = {
  name: 'small',
  family: llava,
  layers: 32,
  image: { size: 28, mean: [0, 0, 0], std: [1, 1, 1], rescaleFactor: 1 / 255 },
  find: (find, layers) => ({
    text: findLlama(find, originalLlamaNames, {
      shape: {
        ...{ hiddenSize: 64, intermediateSize: 176, layers: Math.min(32, layers), heads: 2, kvHeads: 2 },
        ...{ headDim: 32, vocabSize: 2000, rmsNormEps: 1e-5, ropeTheta: 1e4, maxPositions: 4096 },
      },
      tied: false,
    }),
    tower: findClipTower(find, 'vision_model.', {
      ...{ hiddenSize: 64, intermediateSize: 128, layers: Math.min(8, layers), heads: 2, imageSize: 28 },
      ...{ patchSize: 14, channels: 3, patches: 4, layerNormEps: 1e-5, activation: 'quick_gelu' },
    }),
    projector: findMlpProjector(find, originalMlpNames, { from: 64, to: 64, tokens: 4 }),
  }),
};
