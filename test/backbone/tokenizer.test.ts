import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { openTokenizer } from '../../src/backbone/tokenizer.js';
import { UserError } from '../../src/core/errors.js';
import { scratchDirectory } from '../checkpoint/scratch-directory.js';
import { fixturePath, repositoryPath } from '../support/fixture-path.js';
import { readJson } from '../support/read-json.js';

const directories = {
  llava: fixturePath('backbones/llava'),
  'llava-hf': fixturePath('backbones/llava-hf'),
  'tiny-llava': repositoryPath('models/tiny-llava'),
} as const;
const ids = z.array(z.int());
const vectors = readJson(
  fixturePath('tokenizer/vectors.json'),
  z.object({
    tokenizers: z.record(
      z.enum(['llava', 'llava-hf', 'tiny-llava']),
      z.object({
        encode: z.array(z.object({ text: z.string(), ids })),
        decode: z.array(z.object({ ids, skipped: z.string(), kept: z.string() })),
      }),
    ),
  }),
).tokenizers;

describe.each(Object.keys(directories) as (keyof typeof directories)[])('%s', (name) => {
  test('encodes as the Rust tokenizer without special tokens around the text', async () => {
    const tokenizer = await openTokenizer(directories[name]);
    const { encode } = vectors[name];
    expect(encode.map(({ text }) => tokenizer.encode(text))).toEqual(encode.map((vector) => vector.ids));
  });

  test('decodes as the Rust tokenizer, with and without special tokens', async () => {
    const tokenizer = await openTokenizer(directories[name]);
    for (const vector of vectors[name].decode) {
      expect(tokenizer.decode(vector.ids, { skipSpecialTokens: true })).toBe(vector.skipped);
      expect(tokenizer.decode(vector.ids, { skipSpecialTokens: false })).toBe(vector.kept);
    }
  });

  test('no ids are no text and no text is no ids', async () => {
    const tokenizer = await openTokenizer(directories[name]);
    expect(tokenizer.decode([], { skipSpecialTokens: true })).toBe('');
    expect(tokenizer.encode('')).toEqual([]);
  });
});

describe('the byte-fallback tokenizer', () => {
  test('loses nothing of any text', async () => {
    const tokenizer = await openTokenizer(directories.llava);
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        fc.pre(!text.includes('\u2581'));
        expect(tokenizer.decode(tokenizer.encode(text), { skipSpecialTokens: false })).toBe(text);
      }),
    );
  });

  test('keeps a byte order mark inside a text', async () => {
    const tokenizer = await openTokenizer(directories.llava);
    expect(tokenizer.decode(tokenizer.encode('a\ufeffb'), { skipSpecialTokens: true })).toBe('a\ufeffb');
  });

  test('shows ill-formed bytes of the golden answer as the reference does', async () => {
    const golden = readJson(
      fixturePath('backbones/llava/golden.json'),
      z.object({ full_cache_tokens: ids, full_cache_text: z.string() }),
    );
    const tokenizer = await openTokenizer(directories.llava);
    expect(tokenizer.decode(golden.full_cache_tokens, { skipSpecialTokens: true })).toBe(
      golden.full_cache_text,
    );
    const { hf_prompt: hf } = readJson(
      fixturePath('backbones/llava-hf/golden.json'),
      z.object({ hf_prompt: z.object({ tokens: ids, text: z.string() }) }),
    );
    const hfTokenizer = await openTokenizer(directories['llava-hf']);
    expect(hfTokenizer.decode(hf.tokens, { skipSpecialTokens: true })).toBe(hf.text);
  });

  test('ids of a padded vocabulary that stand for no token decode to nothing', async () => {
    const tokenizer = await openTokenizer(directories.llava);
    expect(tokenizer.decode([621, 100_000, 619], { skipSpecialTokens: false })).toBe(
      tokenizer.decode([621, 619], { skipSpecialTokens: false }),
    );
  });
});

describe('spaces before punctuation', () => {
  const decodeWith = async (config: object): Promise<string> => {
    const directory = scratchDirectory();
    copyFileSync(join(directories.llava, 'tokenizer.json'), join(directory, 'tokenizer.json'));
    writeFileSync(join(directory, 'tokenizer_config.json'), JSON.stringify(config));
    const tokenizer = await openTokenizer(directory);
    return tokenizer.decode(tokenizer.encode('a . b ?'), { skipSpecialTokens: true });
  };

  test.each([
    ['stay with Llama’s tokenizer', { tokenizer_class: 'LlamaTokenizer' }, 'a . b ?'],
    ['go with any other', { tokenizer_class: 'PreTrainedTokenizerFast' }, 'a. b?'],
    ['go on request', { tokenizer_class: 'LlamaTokenizer', clean_up_tokenization_spaces: true }, 'a. b?'],
    ['stay on request', { clean_up_tokenization_spaces: false }, 'a . b ?'],
  ])('%s', async (_what, config, text) => {
    expect(await decodeWith(config)).toBe(text);
  });
});

describe('malformed tokenizers', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'lookm-tokenizer-'));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  const openWith = async (content: string): Promise<unknown> => {
    writeFileSync(join(directory, 'tokenizer.json'), content);
    writeFileSync(
      join(directory, 'tokenizer_config.json'),
      readFileSync(join(directories.llava, 'tokenizer_config.json')),
    );
    return openTokenizer(directory);
  };

  test.each([
    ['not JSON', '{"model":', /tokenizer\.json: is not JSON/],
    ['without a model', '{"added_tokens": []}', /tokenizer\.json: model: Invalid input/],
    [
      'of an unknown kind',
      '{"model":{"type":"Spells"},"added_tokens":[],"decoder":null,"post_processor":null,"pre_tokenizer":null,"normalizer":null}',
      /tokenizer\.json: cannot be used as a tokenizer \(.*Spells/,
    ],
  ])('%s', async (_what, content, message) => {
    await expect(openWith(content)).rejects.toThrow(UserError);
    await expect(openWith(content)).rejects.toThrow(message);
  });

  test('missing', async () => {
    await expect(openTokenizer(join(directory, 'nowhere'))).rejects.toThrow(
      /tokenizer\.json: does not exist/,
    );
  });
});
