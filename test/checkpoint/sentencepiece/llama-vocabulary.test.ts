import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import llama from 'llama-tokenizer-js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { promptTemplates, renderQuestion } from '../../../src/backbone/prompt-template.js';
import type { TextTokenizer } from '../../../src/backbone/tokenizer.js';
import { mergesOf } from '../../../src/checkpoint/sentencepiece/merges.js';
import { parseSentencePieceModel } from '../../../src/checkpoint/sentencepiece/parse-model.js';
import { convertedTokenizer, writeTokenizerFiles } from '../../support/converted-tokenizer.js';
import { repositoryPath } from '../../support/fixture-path.js';
import { oddTexts } from '../../support/odd-texts.js';
import { readJson } from '../../support/read-json.js';
import { basicPieces, openSentencePiece, sentencePieceFile } from '../../support/sentencepiece-file.js';

const pieces = llama.vocabById;
const firstMerged = basicPieces.length;

/**
 * Llama's vocabulary as a SentencePiece model. Pieces are numbered by falling score; runs of spaces have one score
 * below all others, which is how the published merges order them.
 */
const model = sentencePieceFile({
  pieces: [
    ...basicPieces,
    ...pieces
      .slice(firstMerged)
      .map((text, index) => ({ text, score: /^▁{2,}$/.test(text) ? -1e9 : -index })),
  ],
});

const words = pieces.slice(firstMerged).map((piece) => piece.replaceAll('▁', ' '));
const texts = oddTexts(10_000, words);

let dir: string;
let tokenizer: TextTokenizer;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'lookm-llama-'));
  writeTokenizerFiles(dir, { 'tokenizer.model': model });
  tokenizer = await convertedTokenizer(dir);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test('the vocabulary is the published one', () => {
  expect(pieces).toHaveLength(32_000);
  expect(pieces.slice(0, firstMerged)).toEqual(basicPieces.map(({ text }) => text));
});

test('the merges are the published ones, those of each piece after those of better pieces', () => {
  const merges = mergesOf(parseSentencePieceModel(model, 'tokenizer.model'), 'tokenizer.model');
  const published = [...llama.merges].sort(([, a], [, b]) => a - b).map(([merge]) => merge);
  const found = merges.map((merge) => merge.join(' '));
  expect(missing(found, published)).toEqual([]);
  expect(missing(published, found)).toEqual([]);
  const results = (list: readonly string[]): string =>
    list
      .map((merge) => merge.replace(' ', ''))
      .filter((piece) => !/^▁+$/.test(piece))
      .join('\n');
  expect(results(found) === results(published)).toBe(true);
});

function missing(from: readonly string[], all: readonly string[]): string[] {
  const present = new Set(from);
  return all.filter((item) => !present.has(item));
}

test('odd texts have the ids of two independent tokenizers, and come back', async () => {
  const sentencePiece = await openSentencePiece(join(dir, 'tokenizer.model'));
  expect(texts.filter((text) => !sameIds(text, sentencePiece(text)))).toEqual([]);
  expect(texts.filter((text) => !sameIds(text, llama.encode(text, false)))).toEqual([]);
  const back = (text: string): string =>
    tokenizer.decode(tokenizer.encode(text), { skipSpecialTokens: true });
  expect(texts.filter((text) => back(text) !== text.replaceAll('▁', ' '))).toEqual([]);
});

function sameIds(text: string, ids: readonly number[]): boolean {
  return tokenizer.encode(text).join() === ids.join();
}

/** Questions of the embedded data as they stand in the published templates. */
function prompts(): string[] {
  const schema = z.object({
    meta_data: z.object({ task_instruction: z.array(z.string()) }),
    data: z.array(z.object({ task_instance: z.object({ context: z.string() }) })),
  });
  const root = repositoryPath('datasets/minimile');
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }, index) => {
      const { meta_data, data } = readJson(join(root, name, `${name}.json`), schema);
      const template = Object.values(promptTemplates)[index % Object.keys(promptTemplates).length]!;
      const questions = data.slice(0, 4).map(({ task_instance: { context } }) => {
        const marked = context.replace(/\{image#\d+\}/g, '<ImageHere>');
        return `${meta_data.task_instruction[0]}\n${marked}`;
      });
      return [...questions, questions.join('\n')].map((question) =>
        renderQuestion({ ...template, stopStrings: [] }, question),
      );
    });
}

test('prompts have the ids of two independent tokenizers, image by image', async () => {
  const sentencePiece = await openSentencePiece(join(dir, 'tokenizer.model'));
  const pieces = prompts().flatMap((prompt) => prompt.split('<image>'));
  expect(pieces.length).toBeGreaterThan(50);
  expect(pieces.filter((piece) => !sameIds(piece, sentencePiece(piece)))).toEqual([]);
  expect(pieces.filter((piece) => !sameIds(piece, llama.encode(piece, false)))).toEqual([]);
});

test('special tokens in a text are themselves, and the text after one starts anew', () => {
  const start = (text: string) => llama.encode(text, false);
  expect(tokenizer.encode('a</s>b<s> c<unk>')).toEqual([
    ...start('a'),
    2,
    ...start('b'),
    1,
    ...start(' c'),
    0,
  ]);
  expect(tokenizer.encode('<s>')).toEqual([1]);
  expect(tokenizer.encode('<s>a')).toEqual([1, ...start('a')]);
  expect(tokenizer.encode('<s>\n</s>')).toEqual([1, ...start('\n'), 2]);
});

test('half a surrogate pair is a replacement character', () => {
  expect(tokenizer.encode('a\ud83d b\udc00')).toEqual(llama.encode('a\ufffd b\ufffd', false));
});

test('special tokens are left out of a text on request, one leading space always', () => {
  const ids = [1, ...llama.encode('a  b', false), 2];
  expect(tokenizer.decode(ids, { skipSpecialTokens: true })).toBe('a  b');
  expect(tokenizer.decode(ids, { skipSpecialTokens: false })).toBe('<s> a  b</s>');
  expect(tokenizer.decode(llama.encode(' a', false), { skipSpecialTokens: true })).toBe(' a');
});
