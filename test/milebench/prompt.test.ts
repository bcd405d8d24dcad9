import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { openTokenizer } from '../../src/backbone/tokenizer.js';
import { UserError } from '../../src/core/errors.js';
import { parsePythonJson } from '../../src/core/python-json.js';
import { readSample, type Sample } from '../../src/milebench/annotation.js';
import { buildQuestion, imagePlaceholder } from '../../src/milebench/prompt.js';
import { taskInstructionsSchema } from '../../src/milebench/task-instructions.js';
import { repositoryPath } from '../support/fixture-path.js';

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
      combined_1_images: [],
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
      'sample 5, field task_instance.combined_2_images: exactly one combined image is supported, the sample has 2; ask for the images combined into 1',
    );
  });

  test('says that a sample without images has no combined one', () => {
    expect(() => buildQuestion({ ...input, combineImage: 1 })).toThrow(
      'combined_1_images: exactly one combined image is supported, the sample has 0; leave the sample out',
    );
  });

  test('says which instruction is missing', () => {
    const call = () => buildQuestion({ ...input, taskInstructions: [], combineImage: null });
    expect(call).toThrow('sample 5, field task_instruction_id: there is no task instruction 0');
  });
});

describe('any question', () => {
  const words = fc.array(fc.constantFrom('red', 'circle', 'moved', '{image#99}'), { maxLength: 8 });
  const questions = fc
    .record({
      id: fc.nat(),
      parts: fc.array(words, { minLength: 1, maxLength: 8 }),
      choices: fc.option(fc.array(fc.constantFrom('yes', 'no'), { maxLength: 4 })),
      maxContextLength: fc.integer({ min: 3, max: 120 }),
      tokensPerImage: fc.integer({ min: 1, max: 30 }),
    })
    .map(({ id, parts, choices, maxContextLength, tokensPerImage }) => {
      const images = parts.slice(1).map((_, index) => `${index + 1}.jpg`);
      const context = parts
        .map((part) => part.join(' '))
        .reduce((text, part, k) => `${text}{image#${k}}${part}`);
      const task_instance = { context, images_path: images, choice_list: choices };
      const sample = sampleOf({ sample_id: id, task_instruction_id: 0, task_instance, response: 'yes' });
      const { encode, decode } = tokenizer;
      return {
        ...{ sample, taskInstructions: ['Answer it.'], imageDir: 'images', maxContextLength, tokensPerImage },
        ...{ tokenizer: { encode, decode }, datasetName: 'X', combineImage: null },
      };
    });

  type Built = typeof questions extends fc.Arbitrary<infer Question> ? Question : never;

  test('stays within its context, shows the last images, and marks each of them once', () => {
    fc.assert(
      fc.property(questions, (question) => {
        const { text, imagePaths } = buildQuestion(question);
        const [instruction, ...rest] = text.split('\n');
        const fragments = rest.join('\n').split(imagePlaceholder);
        const texts = [instruction!, ...fragments].map((part) => tokenizer.encode(part).length);
        const used = texts.reduce((sum, tokens) => sum + tokens, 0);
        expect(used + imagePaths.length * question.tokensPerImage).toBeLessThanOrEqual(
          question.maxContextLength,
        );
        expect(fragments.length - 1).toBe(imagePaths.length);
        const images = question.sample.imageNames.map((name) => `images/${name}`);
        expect(images.slice(images.length - imagePaths.length)).toEqual(imagePaths);
      }),
    );
  });

  test('is the same in whatever order samples come, with a tokenizer that remembers', async () => {
    const directory = repositoryPath('models/tiny-llava');
    const [forwards, backwards] = [await openTokenizer(directory), await openTokenizer(directory)];
    const build = (one: Built, { encode, decode }: typeof forwards) =>
      buildQuestion({
        ...one,
        tokenizer: { encode, decode: (ids: number[]) => decode(ids, { skipSpecialTokens: false }) },
      });
    fc.assert(
      fc.property(fc.array(questions, { minLength: 2, maxLength: 12 }), (all) => {
        const first = all.map((one) => build(one, forwards));
        const second = [...all].reverse().map((one) => build(one, backwards));
        expect(second.reverse()).toEqual(first);
      }),
    );
  });
});
