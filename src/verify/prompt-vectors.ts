import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { messageOf, UserError } from '../core/errors.js';
import { fileExists } from '../core/json-file.js';
import { pythonStr } from '../core/python-format.js';
import type { PythonValue } from '../core/python-value.js';
import { readSample } from '../milebench/annotation.js';
import { combinedGrid, combinePlan } from '../milebench/combine-plan.js';
import { buildQuestion } from '../milebench/prompt.js';
import { taskInstructionsSchema } from '../milebench/task-instructions.js';
import { callTally, type ModeTally } from './tally.js';
import { readVectorFile } from './vector-file.js';

/** Files of a directory of prompt vectors. */
export const promptVectorFiles = Object.freeze({ prompts: 'prompt.json', combined: 'combine.json' } as const);

const recorded = z.custom<PythonValue>((value) => value !== undefined, 'is missing');
const count = z.int().nonnegative();

const promptCaseSchema = z.object({
  input: z.object({
    name: z.string(),
    annotation: z.unknown(),
    task_instructions: taskInstructionsSchema,
    img_dir: z.string(),
    max_context_len: z.int(),
    n_tokens_per_image: count,
    dataset_name: z.string(),
    combine_image: count.nullable(),
  }),
  output: z
    .object({
      sample_id: recorded,
      context: z.string(),
      raw_img_list: z.array(z.string()),
      response: z.string(),
    })
    .optional(),
  collated: z
    .object({
      id: z.tuple([recorded]),
      question: z.tuple([z.string()]),
      image_path: z.tuple([z.array(z.string())]),
      gt_response: z.tuple([z.string()]),
    })
    .optional(),
  error: z.object({ type: z.string() }).optional(),
});
type PromptCase = z.infer<typeof promptCaseSchema>;

const promptFileSchema = z.object({ cases: z.array(promptCaseSchema) });

const combineCaseSchema = z.discriminatedUnion('fn', [
  z.object({
    fn: z.literal('combine_plan'),
    input: z.object({
      sample_id: z.union([z.int(), z.string()]),
      images: count,
      max_img_num: z.int().positive(),
    }),
    output: z.object({
      groups: z.array(z.object({ images: z.array(z.string()), first_caption_index: z.int() })),
      files: z.array(z.string()),
    }),
  }),
  z.object({
    fn: z.literal('combine_grid'),
    input: z.object({ images: z.int().positive(), img_start_index: count }),
    output: z.object({
      width: count,
      height: count,
      cell: z.int().positive(),
      cells: z.array(z.array(z.int())),
      captions: z.array(z.string()),
    }),
  }),
]);
type CombineCase = z.infer<typeof combineCaseSchema>;

/**
 * Builds every recorded question and plans every recorded combination of images.
 *
 * @returns one tally for each function of the official code
 * @throws UserError when a file cannot be read
 */
export async function verifyPromptVectors(directory: string): Promise<ModeTally[]> {
  const tallies: ModeTally[] = [];
  const tallyOf = (mode: string, problems: readonly (string | null)[]): ModeTally =>
    callTally({ format: 'prompt', directory, mode }, problems);
  const prompts = path.join(directory, promptVectorFiles.prompts);
  if (await fileExists(prompts)) {
    const { cases } = await readVectorFile(prompts, promptFileSchema);
    tallies.push(tallyOf('question', cases.map(questionProblem)));
    const collated = cases.filter((one) => one.collated !== undefined);
    if (collated.length > 0) tallies.push(tallyOf('batch', collated.map(batchProblem)));
  }
  const combined = path.join(directory, promptVectorFiles.combined);
  if (await fileExists(combined)) {
    const cases = await readVectorFile(combined, z.array(combineCaseSchema));
    for (const fn of ['combine_plan', 'combine_grid'] as const) {
      const ofFunction = cases.filter((one) => one.fn === fn);
      if (ofFunction.length > 0) tallies.push(tallyOf(fn, ofFunction.map(combineProblem)));
    }
  }
  return tallies;
}

/** The stub the vectors are recorded with: no tokens for no text, else the text split on single spaces. */
const stubTokenizer = Object.freeze({
  encode: (text: string): string[] => (text === '' ? [] : text.split(' ')),
  decode: (tokens: string[]): string => tokens.join(' '),
});

interface BuiltQuestion {
  readonly sampleId: string;
  readonly question: string;
  readonly images: readonly string[];
  readonly response: string;
}

function build({ input }: PromptCase): BuiltQuestion {
  const sample = readSample(input.annotation, 'annotation');
  if (!sample.ok) throw sample.error;
  const { text, imagePaths } = buildQuestion({
    sample: sample.value,
    taskInstructions: input.task_instructions,
    imageDir: input.img_dir,
    maxContextLength: input.max_context_len,
    tokensPerImage: input.n_tokens_per_image,
    tokenizer: stubTokenizer,
    datasetName: input.dataset_name,
    combineImage: input.combine_image,
  });
  const { sampleId, response } = sample.value;
  return { sampleId, question: text, images: imagePaths, response };
}

/** A recorded crash must be an error the user can mend. */
function questionProblem(one: PromptCase): string | null {
  const { name } = one.input;
  let built: BuiltQuestion;
  try {
    built = build(one);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return one.error === undefined ? `${name}: ${messageOf(error)}` : null;
  }
  if (one.error !== undefined) return `${name}: should fail as the official code does (${one.error.type})`;
  if (one.output === undefined) return `${name}: has neither output nor error`;
  const { sample_id, context, raw_img_list, response } = one.output;
  return differenceOf(name, built, {
    sampleId: pythonStr(sample_id),
    question: context,
    images: raw_img_list,
    response,
  });
}

/** `collate_fn` of a batch of one. */
function batchProblem(one: PromptCase): string | null {
  const { name } = one.input;
  if (one.collated === undefined) return null;
  const { id, question, image_path, gt_response } = one.collated;
  const expected = {
    sampleId: pythonStr(id[0]),
    question: question[0],
    images: image_path[0],
    response: gt_response[0],
  };
  try {
    return differenceOf(name, build(one), expected);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return `${name}: ${messageOf(error)}`;
  }
}

function differenceOf<T extends object>(name: string, actual: T, expected: T): string | null {
  const fields = Object.keys(expected) as (keyof T & string)[];
  const different = fields.filter((field) => !isDeepStrictEqual(actual[field], expected[field]));
  return different.length === 0 ? null : `${name}: not as recorded: ${different.join(', ')}`;
}

function combineProblem(one: CombineCase): string | null {
  switch (one.fn) {
    case 'combine_plan': {
      const { sample_id: sampleId, images, max_img_num: pictures } = one.input;
      const names = Array.from({ length: images }, (_, image) => `i${image}.jpg`);
      const expected = {
        groups: one.output.groups.map((group) => ({
          images: group.images,
          firstCaption: group.first_caption_index,
        })),
        files: one.output.files,
      };
      const plan = combinePlan({ sampleId, images: names, pictures });
      return differenceOf(`${images} images into ${pictures}`, plan, expected);
    }
    case 'combine_grid': {
      const { images, img_start_index: before } = one.input;
      const { width, height, cell, cells, captions } = one.output;
      const expected = { columns: width / cell, rows: height / cell, cells, captions };
      const grid = combinedGrid({ images, firstCaption: before + 1 });
      return differenceOf(`${images} images in a grid`, grid, expected);
    }
  }
}
