import path from 'node:path';
import { mergeEmbeddings } from '../backbone/merge-embeddings.js';
import { layOutModalities } from '../backbone/modality-spans.js';
import { renderQuestion } from '../backbone/prompt-template.js';
import { imagePlaceholderId, tokenizePrompt } from '../backbone/tokenize-prompt.js';
import { sha256 } from '../core/content-hash.js';
import { UserError } from '../core/errors.js';
import type { Sample } from '../milebench/annotation.js';
import type { Task } from '../milebench/dataset.js';
import { buildQuestion } from '../milebench/prompt.js';
import type { ImageFeatures } from './image-features.js';
import type { ImageInput } from './image-worker.js';
import type { Backbone } from './open-backbone.js';
import type { PreparedPrompt } from './prefill-cells.js';
import type { PromptRecord } from './record.js';
import type { GenerationSettings } from './record-key.js';

/** Token ids of a sample's prompt, `imagePlaceholderId` at images, and the images that go there. */
export interface TokenizedSample {
  readonly inputIds: readonly number[];
  readonly imagePaths: readonly string[];
  /** [length], 1 where the expanded position is an image token. */
  readonly modality: Uint8Array;
}

/** Positions that question and images may take: as set, or so that template and answer still fit the context. */
function questionLength(
  { bundle, templateTokens }: Backbone,
  { maxContext, maxNewTokens }: GenerationSettings,
): number {
  return maxContext ?? bundle.manifest.text.maxPositions - maxNewTokens - templateTokens - 1;
}

/**
 * The prompt of a sample by MileBench's rules and the backbone's template. The context is cut from the left to what
 * `questionLength` leaves, so without a `maxContext` only an instruction longer than the context can fail.
 *
 * @throws UserError when images and their marks do not match or the prompt exceeds the context
 */
export function tokenizeSample(
  backbone: Backbone,
  task: Task,
  sample: Sample,
  generation: GenerationSettings,
): TokenizedSample {
  const { manifest } = backbone.bundle;
  const { tokensPerImage } = manifest.vision;
  const { maxNewTokens, combineImages } = generation;
  const question = buildQuestion({
    sample,
    taskInstructions: task.taskInstructions,
    // The published code rewrites every part of the path that has the name of the folder: keep it to that folder.
    imageDir: path.basename(task.info.imageDir),
    maxContextLength: questionLength(backbone, generation),
    tokensPerImage,
    tokenizer: {
      encode: backbone.tokenizer.encode,
      decode: (ids: number[]) => backbone.tokenizer.decode(ids, { skipSpecialTokens: false }),
    },
    datasetName: task.info.name,
    combineImage: combineImages,
  });
  const inputIds = tokenizePrompt(
    renderQuestion(manifest.prompt, question.text),
    backbone.tokenizer,
    manifest.tokens,
  );
  const { imageMask: modality } = layOutModalities(inputIds, { tokensPerImage });
  const where = `${task.info.annotationFile}, sample ${sample.sampleId}`;
  const marks = inputIds.filter((id) => id === imagePlaceholderId).length;
  if (marks > question.imagePaths.length) {
    throw new UserError({
      what: `the context has ${marks} image references for ${question.imagePaths.length} images`,
      where: `${where}, field task_instance.images_path`,
      fix: 'give every {image#i} an image',
    });
  }
  if (modality.length + maxNewTokens > manifest.text.maxPositions) {
    throw new UserError({
      what: `the prompt has ${modality.length} tokens; with ${maxNewTokens} for the answer it exceeds the context of ${manifest.text.maxPositions}`,
      where: `${where}, field meta_data.task_instruction`,
      fix: 'lower max-context or generation.max-new-tokens, or shorten the task instruction',
    });
  }
  const datasetDirectory = path.dirname(task.info.imageDir);
  const imagePaths = question.imagePaths.map((file) => path.join(datasetDirectory, file));
  return { inputIds, imagePaths, modality };
}

/** Merges the features of a sample's images with the text: [length, hiddenSize]. */
export async function encodePrompt(
  backbone: Backbone,
  features: ImageFeatures,
  { inputIds, modality }: TokenizedSample,
  images: readonly ImageInput[],
): Promise<{ readonly prompt: PreparedPrompt; readonly about: PromptRecord }> {
  const { manifest } = backbone.bundle;
  const imageFeatures: Float32Array[] = [];
  for (const image of images) imageFeatures.push(await features.of(image));
  const { hiddenSize } = manifest.text;
  const { readRow } = backbone.embeddings;
  const embeddings = mergeEmbeddings({ inputIds, imageFeatures, hiddenSize, readRow });
  const imageTokens = modality.reduce((total, flag) => total + flag, 0);
  return {
    prompt: { embeddings, modality },
    about: {
      tokens: modality.length,
      textTokens: modality.length - imageTokens,
      images: images.length,
      sha256: sha256(JSON.stringify(inputIds)),
      pixelsSha256: sha256(JSON.stringify(images.map((image) => image.sha256))),
    },
  };
}
