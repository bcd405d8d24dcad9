import type { BackboneFamily, ModelParts } from '../families/family.js';
import { builtInProcessing, internvl } from '../families/internvl.js';
import { llava } from '../families/llava.js';
import { mobilevlm } from '../families/mobilevlm.js';
import { originalLlamaNames, originalMlpNames } from '../families/original-layout.js';
import type { SourceFinder } from '../find-tensors.js';
import { type ImageProcessing, imageProcessorConfigSchema } from '../image-processor-config.js';
import type { LlamaShape } from '../llama-config.js';
import { findLlama } from '../llama-weights.js';
import { findLdpProjector } from '../projectors/ldpnetv2.js';
import { findMlpProjector } from '../projectors/mlp2x-gelu.js';
import { findClipTower } from '../towers/clip-weights.js';
import { findInternVitTower } from '../towers/internvit-weights.js';
import { clipLarge, internVit6b, publishedImageSize } from './published-towers.js';
import type { RandomModelName } from './random-model-names.js';

/** A published model by its sizes. */
export interface RandomModel {
  readonly name: string;
  readonly family: BackboneFamily;
  /** Decoder layers of the whole model. */
  readonly layers: number;
  readonly image: ImageProcessing;
  /** Declares all tensors of the model with at most so many layers in language model and tower. */
  readonly find: (find: SourceFinder, layers: number) => ModelParts;
}

/** What the published Llamas have in common. */
function llama(
  shape: Pick<LlamaShape, 'hiddenSize' | 'intermediateSize' | 'layers' | 'heads' | 'headDim'>,
): LlamaShape {
  const { heads: kvHeads } = shape;
  return { ...shape, kvHeads, vocabSize: 32000, rmsNormEps: 1e-5, ropeTheta: 10000, maxPositions: 4096 };
}

const vicuna7b = llama({ hiddenSize: 4096, intermediateSize: 11008, layers: 32, heads: 32, headDim: 128 });
const vicuna13b = llama({ hiddenSize: 5120, intermediateSize: 13824, layers: 40, heads: 40, headDim: 128 });
const mobileLlama14b = llama({
  hiddenSize: 2048,
  intermediateSize: 5632,
  layers: 24,
  heads: 16,
  headDim: 128,
});
const mobileLlama27b = llama({
  hiddenSize: 2560,
  intermediateSize: 6912,
  layers: 32,
  heads: 32,
  headDim: 80,
});

const clipImage = imageProcessorConfigSchema.parse({
  size: publishedImageSize,
  crop_size: publishedImageSize,
});

function atMost<Shape extends { readonly layers: number }>(shape: Shape, layers: number): Shape {
  return { ...shape, layers: Math.min(layers, shape.layers) };
}

function findText(find: SourceFinder, shape: LlamaShape, layers: number): ModelParts['text'] {
  return findLlama(find, originalLlamaNames, { shape: atMost(shape, layers), tied: false });
}

function llavaModel(name: RandomModelName, text: LlamaShape): RandomModel {
  const projector = { from: clipLarge.hiddenSize, to: text.hiddenSize, tokens: clipLarge.patches };
  return {
    ...{ name, family: llava, layers: text.layers, image: clipImage },
    find: (find, layers) => ({
      text: findText(find, text, layers),
      tower: findClipTower(find, 'vision_model.', atMost(clipLarge, layers)),
      projector: findMlpProjector(find, originalMlpNames, projector),
    }),
  };
}

function mobileVlmModel(name: RandomModelName, text: LlamaShape): RandomModel {
  return {
    ...{ name, family: mobilevlm, layers: text.layers, image: clipImage },
    find: (find, layers) => ({
      text: findText(find, text, layers),
      tower: findClipTower(find, 'vision_model.', atMost(clipLarge, layers)),
      projector: findLdpProjector(find, 'model.mm_projector.', {
        from: clipLarge.hiddenSize,
        to: text.hiddenSize,
      }),
    }),
  };
}

function internVlModel(name: RandomModelName, text: LlamaShape): RandomModel {
  const projector = { from: internVit6b.hiddenSize, to: text.hiddenSize, tokens: internVit6b.patches };
  return {
    ...{ name, family: internvl, layers: text.layers, image: builtInProcessing('InternViT-6B-224px') },
    find: (find, layers) => ({
      text: findText(find, text, layers),
      tower: findInternVitTower(find, '', atMost(internVit6b, layers)),
      projector: findMlpProjector(find, originalMlpNames, projector),
    }),
  };
}

/** The models at their true sizes. */
export const randomModels = Object.freeze({
  'llava-1.5-7b': llavaModel('llava-1.5-7b', vicuna7b),
  'llava-1.5-13b': llavaModel('llava-1.5-13b', vicuna13b),
  'mobilevlm-v2-1.7b': mobileVlmModel('mobilevlm-v2-1.7b', mobileLlama14b),
  'mobilevlm-v2-3b': mobileVlmModel('mobilevlm-v2-3b', mobileLlama27b),
  'mobilevlm-v2-7b': mobileVlmModel('mobilevlm-v2-7b', vicuna7b),
  'internvl-chat-7b': internVlModel('internvl-chat-7b', vicuna7b),
  'internvl-chat-13b': internVlModel('internvl-chat-13b', vicuna13b),
} satisfies Record<RandomModelName, RandomModel>);
