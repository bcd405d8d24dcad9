import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { answerText } from '../../src/backbone/answer-text.js';
import { openTokenizer } from '../../src/backbone/tokenizer.js';
import { fixturePath, repositoryPath } from '../support/fixture-path.js';
import { characterTokenizer } from '../support/plain-tokenizer.js';
import { readJson } from '../support/read-json.js';

const ids = (text: string): number[] => characterTokenizer.encode(text);

describe('the answer of generated tokens', () => {
  test('has no special tokens and no white space around it', () => {
    expect(answerText([...ids('  a b \u3000'), 2], characterTokenizer, [])).toBe('a b');
  });

  test('loses a stop string at its end, and the space before it', () => {
    expect(answerText(ids('yes <|im_end|> '), characterTokenizer, ['<s>', '<|im_end|>'])).toBe('yes');
  });

  test('keeps a stop string elsewhere', () => {
    expect(answerText(ids('<x> yes'), characterTokenizer, ['<x>'])).toBe('<x> yes');
  });

  test('keeps what Python does not count as white space', () => {
    expect(answerText(ids('\ufeffa\u200b'), characterTokenizer, [])).toBe('\ufeffa\u200b');
    expect(
      answerText(
        [28, 29, ...ids('a\u0085')],
        {
          ...characterTokenizer,
          decode: (numbers) => String.fromCodePoint(...numbers),
        },
        [],
      ),
    ).toBe('a');
  });

  test('can be empty', () => {
    expect(answerText([], characterTokenizer, ['</s>'])).toBe('');
    expect(answerText([2], characterTokenizer, ['</s>'])).toBe('');
  });
});

test('the golden text of the embedded model comes back from its own tokens', async () => {
  const tokenizer = await openTokenizer(repositoryPath('models/tiny-llava'));
  const golden = readJson(
    fixturePath('embedded/golden.json'),
    z.object({
      samples: z.record(
        z.string(),
        z.array(z.object({ runs: z.record(z.string(), z.object({ text: z.string() })) })),
      ),
    }),
  );
  const texts = Object.values(golden.samples).flatMap((samples) =>
    samples.flatMap((sample) => Object.values(sample.runs).map((run) => run.text)),
  );
  const changed = texts.filter(
    (text) => answerText([...tokenizer.encode(text), 3], tokenizer, ['</s>']) !== text,
  );
  expect(texts.length).toBeGreaterThan(5000);
  expect(changed).toEqual([]);
});
