import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { UserError } from '../../src/core/errors.js';
import { readSample, type Sample } from '../../src/milebench/annotation.js';
import { buildQuestion } from '../../src/milebench/prompt.js';
import { parsePythonJson } from '../../src/milebench/python-json.js';
import { taskInstructionsSchema } from '../../src/milebench/task-instructions.js';

const vectorsSchema = z.object({
  cases: z.array(
    z.object({
      input: z.object({
        name: z.string(),
        annotation: z.unknown(),
        task_instructions: taskInstructionsSchema,
        img_dir: z.string(),
        max_context_len: z.int(),
        n_tokens_per_image: z.int(),
        dataset_name: z.string(),
        combine_image: z.int().nullable(),
      }),
      output: z
        .object({ context: z.string(), raw_img_list: z.array(z.string()), response: z.string() })
        .optional(),
      error: z.object({ type: z.string() }).optional(),
    }),
  ),
});

const url = new URL('../fixtures/prompt/prompt.json', import.meta.url);
const { cases } = vectorsSchema.parse(parsePythonJson(readFileSync(url, 'utf8')));

/** The stub the vectors were recorded with: no tokens for no text, else the text split on single spaces. */
const tokenizer = {
  encode: (text: string): string[] => (text === '' ? [] : text.split(' ')),
  decode: (tokens: string[]): string => tokens.join(' '),
};

function sampleOf(annotation: unknown): Sample {
  const sample = readSample(annotation, 'vector');
  if (!sample.ok) throw sample.error;
  return sample.value;
}

function build(input: (typeof cases)[number]['input']) {
  return buildQuestion({
    sample: sampleOf(input.annotation),
    taskInstructions: input.task_instructions,
    imageDir: input.img_dir,
    maxContextLength: input.max_context_len,
    tokensPerImage: input.n_tokens_per_image,
    tokenizer,
    datasetName: input.dataset_name,
    combineImage: input.combine_image,
  });
}

describe('the question put to the model', () => {
  test('is compared with all 154 official vectors', () => {
    expect(cases).toHaveLength(154);
  });

  test.each(cases.map(({ input, output }) => [input.name, input, output] as const))(
    'is the official one: %s',
    (_name, input, output) => {
      if (output === undefined) {
        expect(() => build(input)).toThrow(UserError);
      } else {
        expect(build(input)).toEqual({ text: output.context, imagePaths: output.raw_img_list });
        expect(sampleOf(input.annotation).response).toBe(output.response);
      }
    },
  );
});

describe('a question that cannot be built', () => {
  const annotation = {
    sample_id: 5,
    task_instruction_id: 0,
    task_instance: {
      context: '{image#1} q',
      images_path: ['a.jpg'],
      combined_2_images: ['5-0.jpg', '5-1.jpg'],
    },
    response: 'A',
  };
  const input = {
    sample: sampleOf(annotation),
    taskInstructions: ['Answer.'],
    imageDir: 'X/images',
    maxContextLength: 100,
    tokensPerImage: 4,
    tokenizer,
    datasetName: 'X',
  };

  test('says which combined images are missing', () => {
    expect(() => buildQuestion({ ...input, combineImage: 3 })).toThrow(
      'sample 5, field task_instance.combined_3_images: combined images are missing; combine the images first',
    );
  });

  test('says that several combined images are not supported', () => {
    expect(() => buildQuestion({ ...input, combineImage: 2 })).toThrow(
      'sample 5, field task_instance.combined_2_images: only one combined image is supported, the sample has 2',
    );
  });

  test('says which instruction is missing', () => {
    const call = () => buildQuestion({ ...input, taskInstructions: [], combineImage: null });
    expect(call).toThrow('sample 5, field task_instruction_id: there is no task instruction 0');
  });
});
