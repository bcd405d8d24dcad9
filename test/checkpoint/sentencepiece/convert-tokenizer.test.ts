import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createStopCheck } from '../../../src/backbone/stop-criteria.js';
import { imagePlaceholderId, tokenizePrompt } from '../../../src/backbone/tokenize-prompt.js';
import { openTokenizer } from '../../../src/backbone/tokenizer.js';
import { seededRandom, shuffled } from '../../../src/core/seeded-random.js';
import {
  convertedTokenizer,
  readTokenizerOf,
  writeTokenizerFiles,
} from '../../support/converted-tokenizer.js';
import { fixturePath } from '../../support/fixture-path.js';
import { oddTexts } from '../../support/odd-texts.js';
import { readJson } from '../../support/read-json.js';
import {
  basicPieces,
  openSentencePiece,
  sentencePieceFile,
  type WrittenModel,
  type WrittenPiece,
} from '../../support/sentencepiece-file.js';
import { scratchDirectory } from '../scratch-directory.js';

/** `a`, `b`, `c`, the word mark and what grows from them, after the pieces of every model. */
const smallVocabulary: readonly WrittenPiece[] = [
  ...basicPieces,
  ...['ab', '▁a', 'abc', '▁▁', '▁', 'a', 'b', 'c', '<', '>', 'p', 'd', 's'].map((text, index) => ({
    text,
    score: -index,
  })),
];
const at = (text: string): number => smallVocabulary.findIndex((piece) => piece.text === text);
const afterSmall = smallVocabulary.length;

function checkpoint(model: Partial<WrittenModel>, files: Readonly<Record<string, unknown>> = {}): string {
  const dir = scratchDirectory();
  const bytes = sentencePieceFile({ pieces: smallVocabulary, ...model });
  writeTokenizerFiles(dir, { 'tokenizer.model': bytes, ...files });
  return dir;
}

const padAdded = { 'added_tokens.json': { '<pad>': afterSmall, '<p>': afterSmall + 1 } };

describe('tokens beside the pieces', () => {
  test('come from added_tokens.json; the map of special tokens says which are special', async () => {
    const map = { pad_token: { content: '<pad>', lstrip: false }, eos_token: '</s>', unk_token: '' };
    const dir = checkpoint({}, { ...padAdded, 'special_tokens_map.json': map });
    const tokenizer = await convertedTokenizer(dir);
    const ids = tokenizer.encode('a<pad>b<p>');
    expect(ids).toEqual([at('▁a'), afterSmall, at('▁'), at('b'), afterSmall + 1]);
    expect(tokenizer.decode(ids, { skipSpecialTokens: true })).toBe('a b<p>');
  });

  test('come from added_tokens_decoder too', async () => {
    const added_tokens_decoder = {
      0: { content: '<unk>', special: true, lstrip: false },
      [afterSmall]: { content: '<pad>', special: true, single_word: false },
    };
    const config = { 'tokenizer_config.json': { added_tokens_decoder, additional_special_tokens: ['ab'] } };
    const tokenizer = await convertedTokenizer(checkpoint({}, config));
    const ids = tokenizer.encode('c<pad>ab');
    expect(ids).toEqual([at('▁'), at('c'), afterSmall, at('ab')]);
    expect(tokenizer.decode(ids, { skipSpecialTokens: true })).toBe('c');
  });

  test('named without an id are ordinary text', async () => {
    const tokenizer = await convertedTokenizer(
      checkpoint({}, { 'special_tokens_map.json': { pad_token: '<p>' } }),
    );
    expect(tokenizer.encode('<p>')).toEqual(['▁', '<', 'p', '>'].map(at));
  });

  test.each([
    [
      'the id of a piece',
      { 'added_tokens.json': { '<pad>': at('ab') } },
      /added_tokens\.json: token \d+, "<pad>", is "ab" elsewhere/,
    ],
    [
      'a second id',
      { 'added_tokens.json': { ab: afterSmall } },
      /added_tokens\.json: token \d+, "ab", has the id 259 too/,
    ],
    [
      'the id of another added token',
      {
        ...padAdded,
        'tokenizer_config.json': { added_tokens_decoder: { [afterSmall]: { content: '<mask>' } } },
      },
      /tokenizer_config\.json: token \d+, "<mask>", is "<pad>" elsewhere/,
    ],
    [
      'what changes the text beside it',
      { 'special_tokens_map.json': { pad_token: { content: '<pad>', lstrip: true } } },
      /special_tokens_map\.json: pad_token: lstrip: is not supported/,
    ],
  ])('are refused with %s', async (_what, files, message) => {
    await expect(readTokenizerOf(checkpoint({}, files))).rejects.toThrow(message);
  });
});

describe('word marks', () => {
  const userDefined = [...smallVocabulary, { text: '<d>', type: 'user-defined' as const }];

  test('stand before every stretch of text between special tokens', async () => {
    const tokenizer = await convertedTokenizer(checkpoint({}));
    expect(tokenizer.encode('a</s>b</s> c')).toEqual([at('▁a'), 2, at('▁'), at('b'), 2, at('▁▁'), at('c')]);
  });

  test('stand only at the start of the text without legacy behaviour', async () => {
    const tokenizer = await convertedTokenizer(
      checkpoint({}, { 'tokenizer_config.json': { legacy: false } }),
    );
    expect(tokenizer.encode('a</s>b</s> c')).toEqual([at('▁a'), 2, at('b'), 2, at('▁'), at('c')]);
    expect(tokenizer.encode(' a')).toEqual([at('▁'), at('▁a')]);
    expect(tokenizer.encode('</s>a')).toEqual([2, at('a')]);
    expect(tokenizer.encode('')).toEqual([]);
  });

  test.each([true, false])('do not come after user-defined pieces, legacy %s', async (legacy) => {
    const dir = checkpoint({ pieces: userDefined }, { 'tokenizer_config.json': { legacy } });
    const tokenizer = await convertedTokenizer(dir);
    const sentencePiece = await openSentencePiece(join(dir, 'tokenizer.model'));
    for (const text of ['a<d>b', '<d>', '<d>a', 'ab<d><d> ab', 'a<d ><d>c', '<<d>>']) {
      expect(tokenizer.encode(text), text).toEqual(sentencePiece(text));
    }
    const after = legacy ? [at('▁'), at('b')] : [at('b')];
    expect(tokenizer.encode('<d></s>b')).toEqual([at('▁'), afterSmall, 2, ...after]);
  });
});

describe('the settings of a tokenizer', () => {
  test('are those of LlamaTokenizer where no file says more', async () => {
    const { tokens, files, sourceFiles } = await readTokenizerOf(checkpoint({}));
    expect(tokens).toEqual({ bos: 1, eos: 2, addBos: true });
    expect(files.map(({ name }) => name)).toEqual(['tokenizer.json', 'tokenizer_config.json']);
    expect(JSON.parse(Buffer.from(files[1]!.content).toString())).toEqual({
      add_bos_token: true,
      add_eos_token: false,
      add_prefix_space: true,
      clean_up_tokenization_spaces: false,
      legacy: true,
      tokenizer_class: 'LlamaTokenizer',
    });
    expect(sourceFiles.map(({ name }) => name)).toEqual(['tokenizer.model']);
  });

  test('are the checkpoint’s own where it has them', async () => {
    const own = {
      tokenizer_class: 'LlamaTokenizer',
      add_bos_token: false,
      legacy: null,
      sp_model_kwargs: {},
    };
    const dir = checkpoint({}, { ...padAdded, 'tokenizer_config.json': own, 'special_tokens_map.json': {} });
    const { tokens, sourceFiles } = await readTokenizerOf(dir);
    expect(tokens.addBos).toBe(false);
    expect(sourceFiles.map(({ name }) => name).sort()).toEqual([
      'added_tokens.json',
      'special_tokens_map.json',
      'tokenizer.model',
      'tokenizer_config.json',
    ]);
  });

  test.each([
    ['tokenizer_class', { tokenizer_class: 'InternLMTokenizer' }],
    ['add_eos_token', { add_eos_token: true }],
    ['add_prefix_space', { add_prefix_space: false }],
    ['sp_model_kwargs', { sp_model_kwargs: { enable_sampling: true } }],
  ])('are refused by name: %s', async (field, config) => {
    const dir = checkpoint({}, { 'tokenizer_config.json': config });
    await expect(readTokenizerOf(dir)).rejects.toThrow(new RegExp(`tokenizer_config\\.json: ${field}: `));
  });

  test('have the same bytes each time', async () => {
    const dir = checkpoint({}, padAdded);
    const [once, again] = [await readTokenizerOf(dir), await readTokenizerOf(dir)];
    expect(once.files).toEqual(again.files);
  });
});

describe('a checkpoint with tokenizer.json', () => {
  const definition = { version: 'as it is' };

  test('keeps it, whatever tokenizer.model says', async () => {
    const dir = checkpoint(
      { modelType: 1 },
      { 'tokenizer.json': definition, 'tokenizer_config.json': { add_bos_token: false } },
    );
    const { files, tokens, sourceFiles } = await readTokenizerOf(dir);
    expect(files.map(({ content }) => JSON.parse(Buffer.from(content).toString()))).toEqual([
      definition,
      { add_bos_token: false },
    ]);
    expect(tokens.addBos).toBe(false);
    expect(sourceFiles.map(({ name }) => name)).not.toContain('tokenizer.model');
  });

  test('needs no tokenizer_config.json beside tokenizer.model', async () => {
    const { files, tokens } = await readTokenizerOf(checkpoint({}, { 'tokenizer.json': definition }));
    expect(files.map(({ name }) => name)).toEqual(['tokenizer.json', 'tokenizer_config.json']);
    expect(tokens.addBos).toBe(true);
  });

  test('needs it without one', async () => {
    const dir = scratchDirectory();
    writeTokenizerFiles(dir, { 'tokenizer.json': definition });
    await expect(readTokenizerOf(dir)).rejects.toThrow('has no tokenizer_config.json');
  });
});

test('a vocabulary larger than the model is refused', async () => {
  await expect(readTokenizerOf(checkpoint({}), afterSmall - 1)).rejects.toThrow(
    `tokenizer.model: holds ${afterSmall} pieces, but the model has a vocabulary of ${afterSmall - 1}`,
  );
});

/** The model that a published `tokenizer.json` was made from: its vocabulary, scored in the order of its merges. */
function modelBehind(definitionPath: string): Uint8Array {
  const { model } = readJson(
    definitionPath,
    z.object({ model: z.object({ vocab: z.record(z.string(), z.int()), merges: z.array(z.string()) }) }),
  );
  const ranks = new Map(model.merges.map((merge, rank) => [merge.replace(' ', ''), rank]));
  const texts = Object.keys(model.vocab).sort((a, b) => model.vocab[a]! - model.vocab[b]!);
  expect(texts.slice(0, basicPieces.length)).toEqual(basicPieces.map(({ text }) => text));
  return sentencePieceFile({
    pieces: [
      ...basicPieces,
      ...texts.slice(basicPieces.length).map((text) => ({ text, score: -(ranks.get(text) ?? texts.length) })),
    ],
  });
}

const ids = z.array(z.int());
const { tokenizer_image_token: aroundImages, keyword_stopping: stopping } = readJson(
  fixturePath('backbones/prompts.json'),
  z.object({
    tokenizer_image_token: z.object({ cases: z.array(z.object({ prompt: z.string(), ids })) }),
    keyword_stopping: z.object({
      cases: z.array(
        z.object({
          keywords: z.array(z.string()),
          generated_ids: ids,
          stops_after_each_token: z.array(z.boolean()),
        }),
      ),
    }),
  }),
);
const listedTokens = z.array(z.looseObject({ id: z.int() }));
const llama = { bos: 1, eos: null, addBos: true };

describe.each(['llava', 'llava-hf', 'mobilevlm', 'internvl'])('the tokenizer of the fixture %s', (name) => {
  const fixture = fixturePath(`backbones/${name}`);
  const rebuilt = async () => {
    const dir = scratchDirectory();
    const definition = readJson(join(fixture, 'tokenizer.json'), z.object({ added_tokens: listedTokens }));
    const added_tokens_decoder = Object.fromEntries(
      definition.added_tokens.map((token) => [token.id, token]),
    );
    writeTokenizerFiles(dir, {
      'tokenizer.model': modelBehind(join(fixture, 'tokenizer.json')),
      'tokenizer_config.json': { added_tokens_decoder },
    });
    for (const file of ['special_tokens_map.json', 'added_tokens.json']) {
      if (existsSync(join(fixture, file))) copyFileSync(join(fixture, file), join(dir, file));
    }
    return convertedTokenizer(dir);
  };

  test('gives the same ids and texts when it is made from tokenizer.model', async () => {
    const [made, published] = [await rebuilt(), await openTokenizer(fixture)];
    const prompts = aroundImages.cases.map(({ prompt }) => prompt);
    const words = prompts.join(' ').split(/(?=[ \n])/);
    for (const text of [
      ...prompts,
      ...oddTexts(400, words, 2),
      'a<s>b</s> c',
      '<unk> <s>',
      'a<pad>b<image>c',
    ]) {
      const expected = published.encode(text);
      expect(made.encode(text), text).toEqual(expected);
      for (const skipSpecialTokens of [true, false]) {
        expect(made.decode(expected, { skipSpecialTokens })).toBe(
          published.decode(expected, { skipSpecialTokens }),
        );
      }
    }
  });

  test('gives the recorded ids around images and the recorded stops', async () => {
    const made = await rebuilt();
    for (const { prompt, ids } of aroundImages.cases) {
      expect(tokenizePrompt(prompt, made, llama)).toEqual(ids);
    }
    for (const { keywords, generated_ids, stops_after_each_token } of stopping.cases) {
      const stops = createStopCheck({ stopStrings: keywords, tokenizer: made, tokens: llama });
      const found = generated_ids.map((_, index) => stops(generated_ids.slice(0, index + 1)) !== null);
      expect(found).toEqual(stops_after_each_token);
    }
  });

  test.skipIf(name === 'llava-hf')('gives the recorded ids of the golden prompt', async () => {
    const golden = readJson(join(fixture, 'golden.json'), z.object({ prompt: z.string(), input_ids: ids }));
    expect(tokenizePrompt(golden.prompt, await rebuilt(), llama)).toEqual(golden.input_ids);
    expect(golden.input_ids).toContain(imagePlaceholderId);
  });
});

describe('made-up vocabularies', () => {
  /** Pieces glued from earlier ones, their scores in any order; with `runs`, two to nine spaces share one score. */
  function vocabulary(seed: number, runs: boolean): WrittenPiece[] {
    const random = seededRandom(seed);
    const below = (n: number): number => Math.floor(random() * n);
    const texts = ['▁', 'a', 'b', 'é'];
    while (texts.length < 40) {
      const text = texts[below(texts.length)]! + texts[below(texts.length)]!;
      const isRun = text.includes('▁▁');
      if (text.length <= 12 && !texts.includes(text) && !(runs && isRun)) texts.push(text);
    }
    const ranks = shuffled([...texts.keys()], random);
    const pieces = texts.map((text, index) => ({ text, score: -ranks[index]! }));
    const shared = -0.5 - below(texts.length);
    const spaces = [2, 3, 4, 5, 6, 7, 8, 9].map((length) => ({ text: '▁'.repeat(length), score: shared }));
    return runs ? [...pieces, ...spaces] : pieces;
  }

  test.each([1, 2, 3, 4, 5, 6])('seed %i gives the ids of SentencePiece', async (seed) => {
    const dir = checkpoint({ pieces: [...basicPieces, ...vocabulary(seed, seed % 2 === 0)] });
    const tokenizer = await convertedTokenizer(dir);
    const sentencePiece = await openSentencePiece(join(dir, 'tokenizer.model'));
    const unit = fc.constantFrom(' ', '  ', 'a', 'b', 'é', 'aa', 'ab', 'ba', 'x', '▁');
    const text = fc.array(unit, { maxLength: 40 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, (text) => {
        expect(tokenizer.encode(text)).toEqual(sentencePiece(text));
      }),
      { numRuns: 500, seed },
    );
  });
});
