import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTokenizer, type TextTokenizer } from '../../../src/backbone/tokenizer.js';
import { syntheticTokenizer } from '../../../src/checkpoint/random/synthetic-tokenizer.js';

let dir: string;
let tokenizer: TextTokenizer;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lookm-tokenizer-'));
  const files = syntheticTokenizer(32000);
  await writeFile(join(dir, 'tokenizer.json'), JSON.stringify(files.tokenizer));
  await writeFile(join(dir, 'tokenizer_config.json'), JSON.stringify(files.config));
  tokenizer = await openTokenizer(dir);
});
afterAll(() => rm(dir, { recursive: true, force: true }));

test.each([
  'What is the colour of the book on the table?',
  'Héllo  wörld\n\ttabs,   runs of   spaces and \u{1F600} 漢字',
  'image 10 of 12: (A) yes\n(B) no',
  '',
])('text comes back as it was: %j', (text) => {
  expect(tokenizer.decode(tokenizer.encode(text), { skipSpecialTokens: true })).toBe(text);
});

test('ids fill the vocabulary, the first three are special, the next 256 bytes', () => {
  const { model } = syntheticTokenizer(32000).tokenizer as { model: { vocab: Record<string, number> } };
  const ids = Object.values(model.vocab);
  expect(ids).toHaveLength(32000);
  expect([...ids].sort((a, b) => a - b)).toEqual(ids.map((_, i) => i));
  expect(model.vocab).toMatchObject({ '<unk>': 0, '<s>': 1, '</s>': 2, '<0x00>': 3, '<0xFF>': 258 });
  expect(tokenizer.encode('</s>')).toEqual([2]);
});

/** Numbers of tokens of the published Llama vocabulary, counted with another implementation. */
const published = [
  {
    text: 'You will be provided with a sequence of images and a question. Choose the correct answer from the options based on the images. Respond only with the letter of the answer.\nQuestion: What happened after the person took the food?\nChoice list:\n(A) Ate the medicine.\n(B) Tidied up the blanket.\n(C) Put down the cup.\n(D) Took the box.\nYour answer is: ',
    tokens: 97,
  },
  {
    text: 'Preheat the oven to 350 degrees. In a large bowl, whisk together flour, sugar, baking powder and salt. Add melted butter, two eggs, vanilla extract and milk; stir until the batter is smooth. Pour into a greased tin and bake for 30 minutes, or until a toothpick inserted into the centre comes out clean. Spread chocolate frosting over the cake once it has cooled completely.',
    tokens: 106,
  },
];

test.each(published)(
  'prompts have about as many tokens as with the published vocabulary',
  ({ text, tokens }) => {
    const { length } = tokenizer.encode(text);
    expect(length / tokens).toBeGreaterThan(0.9);
    expect(length / tokens).toBeLessThan(1.2);
  },
);
