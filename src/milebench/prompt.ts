import { UserError } from '../core/errors.js';
import type { Sample } from './annotation.js';
import { combinedImagePaths, combinedImagesName, imagePaths } from './image-paths.js';
import { findInstruction, type TaskInstructions } from './task-instructions.js';
import { keepContextEnd, type PromptTokenizer, type TokenSequence } from './truncation.js';

/** Where an image goes in a question. */
export const imagePlaceholder = '<ImageHere>';

/** The dataset whose choices are listed without letters: it has more of them than the alphabet. */
const unletteredDataset = 'GPR1200';

export interface Question {
  /** Instruction, context and choices; images stand at `imagePlaceholder`. */
  readonly text: string;
  /** One path for each placeholder the official code filled, in order. Placeholders can be more or fewer. */
  readonly imagePaths: readonly string[];
}

function choiceList(choices: readonly string[], datasetName: string): string {
  const lines = choices.map((choice, index) =>
    datasetName === unletteredDataset ? choice : `${String.fromCodePoint(65 + index)}. ${choice}`,
  );
  return `\nChoice list: \n${lines.join('\n')}\nYour answer is: `;
}

/** `{image#k}` and `{table#k}`; Python prints k without leading zeros. */
const reference = /\{(?:image|table)#([1-9]\d*)\}/g;

/** Replaces `{image#k}` and `{table#k}` for k up to the number of images; later indices stay as they are. */
function fillReferences(context: string, images: number, replacement: (index: number) => string): string {
  return context.replace(reference, (found, digits: string) => {
    const index = Number(digits);
    return index <= images ? replacement(index) : found;
  });
}

/**
 * The question of a sample and its images, as MileBench puts them to a model: task instruction, context with images,
 * choice list, cut to `maxContextLength` tokens from the left of the context.
 * `combineImage` N asks for the sample's images combined into N pictures (`combined_N_images`); the official code
 * accepts exactly one picture, puts it in front and does not count its tokens. `null` and 0 ask for the images themselves.
 *
 * Source: MileBench `utils.py`, `MileBenchDataset.__getitem__`, its quirks included: references lose their index and
 * images attach from the right by their order; more images than references put one extra placeholder in front and drop
 * the rest; fewer leave placeholders without image.
 * Throws a `UserError` for an unknown task instruction and for combined images that are missing or more than one.
 */
export function buildQuestion<Tokens extends TokenSequence<Tokens>>({
  sample,
  taskInstructions,
  imageDir,
  maxContextLength,
  tokensPerImage,
  tokenizer,
  datasetName,
  combineImage,
}: {
  readonly sample: Sample;
  readonly taskInstructions: TaskInstructions;
  readonly imageDir: string;
  readonly maxContextLength: number;
  readonly tokensPerImage: number;
  readonly tokenizer: PromptTokenizer<Tokens>;
  readonly datasetName: string;
  readonly combineImage: number | null;
}): Question {
  const instruction = findInstruction(taskInstructions, sample.taskInstructionId);
  if (instruction === undefined) {
    throw new UserError({
      what: `there is no task instruction ${JSON.stringify(sample.taskInstructionId)}`,
      where: `sample ${sample.sampleId}, field task_instruction_id`,
      fix: 'use one of meta_data.task_instruction',
    });
  }
  const context = sample.context + (sample.choices === null ? '' : choiceList(sample.choices, datasetName));
  const budget = maxContextLength - tokenizer.encode(instruction).length;
  const images = sample.imageNames.length;

  if (combineImage !== null && combineImage !== 0) {
    const combined = combinedPicture(sample, imageDir, combineImage);
    const filled = fillReferences(context, images, (index) => `<Image ${index}> `);
    const kept = keepContextEnd({
      fragments: filled.split(imagePlaceholder),
      images: [],
      budget,
      tokensPerImage: null,
      tokenizer,
    });
    const text = `${imagePlaceholder}\n${instruction}\n${kept.fragments.join(imagePlaceholder)}`;
    return { text, imagePaths: [combined] };
  }

  const filled = fillReferences(context, images, () => imagePlaceholder);
  const kept = keepContextEnd({
    fragments: filled.split(imagePlaceholder),
    images: imagePaths(imageDir, sample.imageNames),
    budget,
    tokensPerImage,
    tokenizer,
  });
  const opening = kept.opensWithImage ? imagePlaceholder : '';
  const text = `${instruction}\n${opening}${kept.fragments.join(imagePlaceholder)}`;
  return { text, imagePaths: kept.images };
}

function combinedPicture(sample: Sample, imageDir: string, count: number): string {
  const field = combinedImagesName(count);
  const where = `sample ${sample.sampleId}, field task_instance.${field}`;
  const names = sample.combinedImageNames.get(count);
  if (names === undefined) {
    throw new UserError({ what: 'combined images are missing', where, fix: 'combine the images first' });
  }
  const [picture, ...others] = combinedImagePaths(imageDir, count, names);
  if (picture === undefined || others.length > 0) {
    const what = `exactly one combined image is supported, the sample has ${names.length}`;
    const fix = names.length === 0 ? 'leave the sample out' : 'ask for the images combined into 1';
    throw new UserError({ what, where, fix });
  }
  return picture;
}
