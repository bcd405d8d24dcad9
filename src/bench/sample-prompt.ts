import { sha256 } from '../core/content-hash.js';
import { UserError } from '../core/errors.js';
import { combinedImagesName } from '../milebench/image-paths.js';
import type { ImageFeatures } from './image-features.js';
import type { ImageReader } from './image-reader.js';
import type { Backbone } from './open-backbone.js';
import type { PreparedPrompt } from './prefill-cells.js';
import { encodePrompt, tokenizeSample } from './prepare-prompt.js';
import type { PromptRecord } from './record.js';
import type { GenerationSettings } from './record-key.js';
import { sampleImageFiles } from './sample-images.js';
import type { SampleJob } from './sample-job.js';

type PromptedSample = Pick<SampleJob, 'task' | 'sample'>;

/**
 * The prompt of a sample as the decoder sees it: question, images, vision tower.
 *
 * @param next the sample that will follow, whose images are read meanwhile
 * @throws UserError, naming sample and field, when it cannot be made
 */
export async function samplePrompt(
  { task, sample }: PromptedSample,
  next: PromptedSample | null,
  {
    backbone,
    images,
    features,
    generation,
  }: {
    readonly backbone: Backbone;
    readonly images: ImageReader;
    readonly features: ImageFeatures;
    readonly generation: GenerationSettings;
  },
): Promise<{ readonly prompt: PreparedPrompt; readonly about: PromptRecord }> {
  const { combineImages } = generation;
  const tokenized = tokenizeSample(backbone, task, sample, generation);
  const inputs = await images.read(tokenized.imagePaths).catch((error: unknown) => {
    throw locatedInSample(error, { task, sample }, combineImages);
  });
  if (next !== null) images.readAhead(sampleImageFiles(next.task, next.sample, combineImages));
  return encodePrompt(backbone, features, tokenized, inputs);
}

/** An image that cannot be used is named together with the field that asks for it. */
function locatedInSample(error: unknown, { task, sample }: PromptedSample, combineImages: 1 | null): unknown {
  if (!(error instanceof UserError)) return error;
  const { what, where: file = 'image', fix } = error.problem;
  const field = combineImages === null ? 'images_path' : combinedImagesName(combineImages);
  const where = `${task.info.annotationFile}, sample ${sample.sampleId}, field task_instance.${field}`;
  return new UserError({ what: `${file}: ${what}`, where, ...(fix === undefined ? {} : { fix }) });
}

/** The seed of a prompt's random methods: the run's, and what the prompt is. */
export function seedOfPrompt(seed: number, { sha256: ids, pixelsSha256 }: PromptRecord): number {
  return Number.parseInt(sha256(`${seed} ${ids} ${pixelsSha256}`).slice(0, 8), 16);
}
