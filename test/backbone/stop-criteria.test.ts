import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createStopCheck } from '../../src/backbone/stop-criteria.js';
import { openTokenizer } from '../../src/backbone/tokenizer.js';
import { fixturePath, repositoryPath } from '../support/fixture-path.js';
import { characterTokenizer } from '../support/plain-tokenizer.js';
import { readJson } from '../support/read-json.js';

const { keyword_stopping: keywordStopping } = readJson(
  fixturePath('backbones/prompts.json'),
  z.object({
    keyword_stopping: z.object({
      cases: z.array(
        z.object({
          keywords: z.array(z.string()),
          generated_ids: z.array(z.int()),
          text: z.string(),
          stops_after_each_token: z.array(z.boolean()),
        }),
      ),
    }),
  }),
);

describe('stop strings end generation where the official criterion does', () => {
  test.each(keywordStopping.cases)('$keywords in $text', async (vector) => {
    const tokenizer = await openTokenizer(fixturePath('backbones/llava'));
    const stops = createStopCheck({
      stopStrings: vector.keywords,
      tokenizer,
      tokens: { bos: 1, eos: null, addBos: true },
    });
    const found = vector.generated_ids.map((_, index) => stops(vector.generated_ids.slice(0, index + 1)));
    expect(found.map((reason) => reason !== null)).toEqual(vector.stops_after_each_token);
  });
});

const plain = { tokenizer: characterTokenizer, tokens: { bos: 1, eos: 2, addBos: true } } as const;

describe('reasons', () => {
  test('EOS ends generation as the newest id only', () => {
    const stops = createStopCheck({ ...plain, stopStrings: [] });
    expect(stops([65, 2])).toBe('eos');
    expect(stops([2, 65])).toBeNull();
  });

  test('without EOS and stop strings generation never ends', () => {
    const stops = createStopCheck({ ...plain, stopStrings: [], tokens: { ...plain.tokens, eos: null } });
    expect(stops([2])).toBeNull();
  });

  test('a stop string counts only at the end of the answer, within its own number of tokens', () => {
    const stops = createStopCheck({ ...plain, stopStrings: ['ab'] });
    const ids = (text: string): number[] => characterTokenizer.encode(text);
    expect(stops(ids('xab'))).toBe('stop-string');
    expect(stops(ids('abx'))).toBeNull();
    expect(stops(ids('b'))).toBeNull();
  });

  test('with several stop strings the window is that of the longest', () => {
    const stops = createStopCheck({ ...plain, stopStrings: ['ab', 'vwxyz'] });
    expect(stops(characterTokenizer.encode('ab...'))).toBe('stop-string');
    expect(stops(characterTokenizer.encode('ab....'))).toBeNull();
  });

  test('nothing generated yet is no reason to stop', () => {
    expect(createStopCheck({ ...plain, stopStrings: ['a'] })([])).toBeNull();
  });
});

test('the embedded model stops at </s>, which its tokenizer gives without BOS', async () => {
  const tokenizer = await openTokenizer(repositoryPath('models/tiny-llava'));
  const stops = createStopCheck({
    stopStrings: ['</s>'],
    tokenizer,
    tokens: { bos: 2, eos: null, addBos: false },
  });
  expect(stops([10, 3])).toBe('stop-string');
  expect(stops([10, 12])).toBeNull();
});
