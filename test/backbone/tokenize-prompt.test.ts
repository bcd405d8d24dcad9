import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { findPromptTemplate, renderQuestion } from '../../src/backbone/prompt-template.js';
import { imagePlaceholderId, tokenizePrompt } from '../../src/backbone/tokenize-prompt.js';
import { openTokenizer } from '../../src/backbone/tokenizer.js';
import { fixturePath, repositoryPath } from '../support/fixture-path.js';
import { characterTokenizer } from '../support/plain-tokenizer.js';
import { readJson } from '../support/read-json.js';

const ids = z.array(z.int());
const llama = { bos: 1, addBos: true } as const;

const { tokenizer_image_token: chunkVectors } = readJson(
  fixturePath('backbones/prompts.json'),
  z.object({
    tokenizer_image_token: z.object({
      image_token_index: z.literal(imagePlaceholderId),
      cases: z.array(z.object({ prompt: z.string(), ids })),
    }),
  }),
);

describe('prompts are tokenised around images as the reference does', () => {
  test.each(chunkVectors.cases)('$prompt', async ({ prompt, ids: expected }) => {
    const tokenizer = await openTokenizer(fixturePath('backbones/llava'));
    expect(tokenizePrompt(prompt, tokenizer, llama)).toEqual(expected);
  });

  test('the golden prompt of the LLaVA fixture', async () => {
    const golden = readJson(
      fixturePath('backbones/llava/golden.json'),
      z.object({
        prompt: z.string(),
        prompt_chunks: z.array(z.string()),
        chunk_ids: z.array(ids),
        input_ids: ids,
      }),
    );
    const tokenizer = await openTokenizer(fixturePath('backbones/llava'));
    expect(tokenizePrompt(golden.prompt, tokenizer, llama)).toEqual(golden.input_ids);
    expect(golden.prompt_chunks.map((chunk) => tokenizePrompt(chunk, tokenizer, llama))).toEqual(
      golden.chunk_ids,
    );
  });

  test('the golden prompts of the HF layout, whose tokenizer knows <image> itself', async () => {
    const golden = readJson(
      fixturePath('backbones/llava-hf/golden.json'),
      z.object({
        image_token_index: z.int(),
        hf_prompt: z.object({ prompt: z.string(), input_ids_unexpanded: ids }),
      }),
    );
    const tokenizer = await openTokenizer(fixturePath('backbones/llava-hf'));
    const found = tokenizePrompt(golden.hf_prompt.prompt, tokenizer, llama);
    expect(found.map((id) => (id === imagePlaceholderId ? golden.image_token_index : id))).toEqual(
      golden.hf_prompt.input_ids_unexpanded,
    );
  });
});

const embedded = readJson(
  fixturePath('embedded/golden.json'),
  z.object({ samples: z.record(z.string(), z.array(z.object({ sample_id: z.int(), prompt_ids: ids }))) }),
);
const tinyPrompt = readJson(
  repositoryPath('models/tiny-llava/prompt.json'),
  z.object({ before_question: z.string(), after_question: z.string(), image_token_id: z.int() }),
);

const annotationSchema = z.object({
  meta_data: z.object({ task_instruction: z.array(z.string()) }),
  data: z.array(
    z.object({
      sample_id: z.int(),
      task_instruction_id: z.int(),
      task_instance: z.object({ context: z.string(), choice_list: z.array(z.string()).optional() }),
    }),
  ),
});
type Annotation = z.infer<typeof annotationSchema>;

/** MileBench's question for a sample of the embedded data: instruction, context, choices. */
function questionOf(sample: Annotation['data'][number], instructions: readonly string[]): string {
  const { context, choice_list: choices } = sample.task_instance;
  const lines = choices?.map((choice, index) => `${String.fromCharCode(65 + index)}. ${choice}`) ?? [];
  const list = choices === undefined ? '' : `\nChoice list: \n${lines.join('\n')}\nYour answer is: `;
  const marked = (context + list).replace(/\{image#\d+\}/g, '<ImageHere>');
  return `${instructions[sample.task_instruction_id]}\n${marked}`;
}

describe('every prompt of the embedded data set', () => {
  test.each(Object.entries(embedded.samples))('%s', async (dataset, samples) => {
    const annotation = readJson(
      repositoryPath(`datasets/minimile/${dataset}/${dataset}.json`),
      annotationSchema,
    );
    const tokenizer = await openTokenizer(repositoryPath('models/tiny-llava'));
    const template = {
      name: 'custom',
      before: tinyPrompt.before_question,
      after: tinyPrompt.after_question,
      stopStrings: [],
    };
    const found = annotation.data.map((sample) => {
      const prompt = renderQuestion(template, questionOf(sample, annotation.meta_data.task_instruction));
      return tokenizePrompt(prompt, tokenizer, { bos: 2, addBos: false }).map((id) =>
        id === imagePlaceholderId ? tinyPrompt.image_token_id : id,
      );
    });
    expect(found).toHaveLength(30);
    expect(found).toEqual(samples.map((sample) => sample.prompt_ids));
  });
});

describe('begin of sequence', () => {
  test('is added once with addBos, however many images', () => {
    expect(tokenizePrompt('<image>a<image>', characterTokenizer, { bos: 1, addBos: true })).toEqual([
      1,
      imagePlaceholderId,
      97,
      imagePlaceholderId,
    ]);
  });

  test('is not added without addBos', () => {
    expect(tokenizePrompt('a<image>b', characterTokenizer, { bos: 1, addBos: false })).toEqual([
      97,
      imagePlaceholderId,
      98,
    ]);
    expect(tokenizePrompt('', characterTokenizer, { bos: 1, addBos: false })).toEqual([]);
  });

  test('written in the text stays beside the one that is added', async () => {
    const tokenizer = await openTokenizer(fixturePath('backbones/llava'));
    const { before, after } = findPromptTemplate('v1');
    const found = tokenizePrompt(`<s>${before}<s>${after}`, tokenizer, llama);
    expect(found.filter((id) => id === 1)).toHaveLength(3);
    expect(found.slice(0, 2)).toEqual([1, 1]);
  });
});
