import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  findPromptTemplate,
  promptTemplateNames,
  renderQuestion,
} from '../../src/backbone/prompt-template.js';
import { UserError } from '../../src/core/errors.js';
import { fixturePath } from '../support/fixture-path.js';
import { readJson } from '../support/read-json.js';

const { templates } = readJson(
  fixturePath('backbones/prompts.json'),
  z.object({
    templates: z.record(
      z.string(),
      z.object({
        stop_string: z.string(),
        rendered: z.array(z.object({ question: z.string(), prompt: z.string() })),
      }),
    ),
  }),
);

test('the known templates are those of the published workers', () => {
  expect([...promptTemplateNames].sort()).toEqual(Object.keys(templates).sort());
});

describe.each(Object.entries(templates))('%s', (name, { stop_string: stopString, rendered }) => {
  test.each(rendered)('renders $question', ({ question, prompt }) => {
    expect(renderQuestion(findPromptTemplate(name), question)).toBe(prompt);
  });

  test('stops where the published template stops', () => {
    expect(findPromptTemplate(name).stopStrings).toEqual([stopString]);
  });
});

test('LOOK-M renders the golden question of the LLaVA fixture', () => {
  const golden = readJson(
    fixturePath('backbones/llava/golden.json'),
    z.object({ prompt_template: z.string(), question: z.string(), prompt: z.string() }),
  );
  expect(renderQuestion(findPromptTemplate(golden.prompt_template), golden.question)).toBe(golden.prompt);
});

test('line breaks go between pairs of images only, in one pass', () => {
  const bare = { name: 'custom', before: '', after: '', stopStrings: [] };
  expect(renderQuestion(bare, '<ImageHere>'.repeat(4))).toBe('<image>\n'.repeat(4));
  expect(renderQuestion(bare, '<ImageHere>'.repeat(3))).toBe('<image>\n<image>\n<image>');
  expect(renderQuestion(bare, '<ImageHere> <ImageHere>')).toBe('<image> <image>');
  expect(renderQuestion(bare, 'already <image><image>')).toBe('already <image><image>');
});

test('dollar signs in a question are text', () => {
  expect(renderQuestion(findPromptTemplate('v1'), '$& costs $1<ImageHere>')).toContain('$& costs $1<image>');
});

describe('an unknown template', () => {
  test('is told with the closest names', () => {
    expect(() => findPromptTemplate('llava_lama_2')).toThrow(UserError);
    expect(() => findPromptTemplate('llava_lama_2')).toThrow(/did you mean .*llava_llama_2/);
  });

  test('is told with all names when none is close', () => {
    expect(() => findPromptTemplate('qwertyuiop')).toThrow(/use one of .*llava_llama_2.*internlm2-chat/);
  });

  test('is not found on the prototype', () => {
    expect(() => findPromptTemplate('toString')).toThrow(UserError);
  });
});
