import { mergeEmbeddings } from '../backbone/merge-embeddings.js';
import { layOutModalities } from '../backbone/modality-spans.js';
import { renderQuestion } from '../backbone/prompt-template.js';
import { imagePlaceholderId, tokenizePrompt } from '../backbone/tokenize-prompt.js';
import { sha256 } from '../core/content-hash.js';
import { UserError } from '../core/errors.js';
import type { Sample } from '../milebench/annotation.js';
import type { Task } from '../milebench/dataset.js';
import { buildQuestion } from '../milebench/prompt.js';
import type { ImageInput } from './image-worker.js';
import type { Backbone } from './open-backbone.js';
import type { SampleRecord } from './record.js';
import type { PreparedPrompt } from './run-cells.js';

/** Token ids of a sample's prompt, `imagePlaceholderId` at images, and the images that go there. */
export interface TokenizedSample {
  readonly inputIds: readonly number[];
  readonly imagePaths: readonly string[];
  /** [length], 1 where the expanded position is an image token. */
  readonly modality: Uint8Array;
}

/** Positions that question and images may take so that template and answer still fit the context. */
function questionLength({ bundle, templateTokens }: Backbone, maxNewTokens: number): number {
  return bundle.manifest.text.maxPositions - maxNewTokens - templateTokens - 1;
}

/**
 * The prompt of a sample by MileBench's rules and the backbone's template. The context is cut from the left to what
 * `questionLength` leaves, so only an instruction longer than the context can fail.
 *
 * @throws UserError when images and their marks do not match or the prompt exceeds the context
 */
export function tokenizeSample(
  backbone: Backbone,
  task: Task,
  sample: Sample,
  { maxNewTokens }: { readonly maxNewTokens: number },
): TokenizedSample {
  const { manifest } = backbone.bundle;
  const { tokensPerImage } = manifest.vision;
  const question = buildQuestion({
    sample,
    taskInstructions: task.taskInstructions,
    imageDir: task.info.imageDir,
    maxContextLength: questionLength(backbone, maxNewTokens),
    tokensPerImage,
    tokenizer: {
      encode: backbone.tokenizer.encode,
      decode: (ids: number[]) => backbone.tokenizer.decode(ids, { skipSpecialTokens: false }),
    },
    datasetName: task.info.name,
    combineImage: null,
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
      fix: 'shorten the task instruction or lower generation.max-new-tokens',
    });
  }
  return { inputIds, imagePaths: question.imagePaths, modality };
}

/** Encodes the images of a sample and merges them with the text: [length, hiddenSize]. */
export async function encodePrompt(
  backbone: Backbone,
  { inputIds, modality }: TokenizedSample,
  images: readonly ImageInput[],
): Promise<{ readonly prompt: PreparedPrompt; readonly about: SampleRecord['prompt'] }> {
  const { manifest } = backbone.bundle;
  const imageFeatures: Float32Array[] = [];
  for (const image of images) imageFeatures.push(await backbone.vision.encode(image));
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
