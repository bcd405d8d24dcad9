import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { mergesOf } from '../../../src/checkpoint/sentencepiece/merges.js';
import { parseSentencePieceModel } from '../../../src/checkpoint/sentencepiece/parse-model.js';
import { UserError } from '../../../src/core/errors.js';
import { readTokenizerOf } from '../../support/converted-tokenizer.js';
import { basicPieces, sentencePieceFile, type WrittenModel } from '../../support/sentencepiece-file.js';
import { scratchDirectory } from '../scratch-directory.js';

const path = 'tokenizer.model';
const next = basicPieces.length;
const letters = ['a', 'b', 'c'].map((text, index) => ({ text, score: -100 - index }));

function parse(model: Partial<WrittenModel>) {
  return parseSentencePieceModel(sentencePieceFile({ pieces: [...basicPieces, ...letters], ...model }), path);
}

test('pieces keep their order, text, score and type', () => {
  const pieces = parse({
    pieces: [...basicPieces, { text: '▁né', score: -1.5 }, { text: '<x>', type: 'user-defined' }],
  });
  expect(pieces).toHaveLength(next + 2);
  expect(pieces.slice(0, 4)).toEqual([
    { text: '<unk>', score: 0, type: 'unknown' },
    { text: '<s>', score: 0, type: 'control' },
    { text: '</s>', score: 0, type: 'control' },
    { text: '<0x00>', score: 0, type: 'byte' },
  ]);
  expect(pieces.slice(next)).toEqual([
    { text: '▁né', score: -1.5, type: 'normal' },
    { text: '<x>', score: 0, type: 'user-defined' },
  ]);
});

describe('a model that does not tokenise as Llama does is refused by name', () => {
  const added = (...pieces: WrittenModel['pieces']) => ({ pieces: [...basicPieces, ...letters, ...pieces] });
  test.each<[string, Partial<WrittenModel>]>([
    ['trainer_spec.model_type is UNIGRAM, only BPE is supported', { modelType: 1 }],
    ['trainer_spec.model_type is WORD', { modelType: 3 }],
    ['trainer_spec.model_type is CHAR', { modelType: 4 }],
    ['trainer_spec.model_type is 99', { modelType: 99 }],
    ['trainer_spec.byte_fallback must be true', { byteFallback: false }],
    ['trainer_spec.treat_whitespace_as_suffix must be false', { suffix: true }],
    ['normalizer_spec is missing', { normalizer: null }],
    ['normalizer_spec.add_dummy_prefix must be true', { normalizer: { dummyPrefix: false } }],
    ['normalizer_spec.remove_extra_whitespaces must be false', { normalizer: { removesSpaces: true } }],
    ['normalizer_spec.escape_whitespaces must be true', { normalizer: { escapesSpaces: false } }],
    ['normalizer_spec.precompiled_charsmap maps characters', { normalizer: { charsmap: Uint8Array.of(1) } }],
    ['denormalizer_spec.precompiled_charsmap maps characters', { denormalizerCharsmap: Uint8Array.of(1) }],
    [`pieces[${next + 3}].type UNUSED is not supported`, added({ text: 'x', type: 'unused' })],
    [`pieces[${next + 3}].type is unknown (77)`, added({ text: 'x', type: 77 })],
    [`pieces[${next + 3}].piece is empty`, added({ text: '' })],
    [`pieces[${next + 3}].piece is not UTF-8`, added({ text: Uint8Array.of(0x61, 0xff) })],
    [`pieces[${next + 3}].piece has 257 bytes`, added({ text: 'x'.repeat(257) })],
    [`pieces[${next + 3}].piece holds a space`, added({ text: 'a b' })],
    [
      `pieces[${next + 3}].piece is user-defined and holds a space`,
      added({ text: 'a▁', type: 'user-defined' }),
    ],
    [`pieces[${next + 3}].score is not a finite number`, added({ text: 'x', score: Number.NaN })],
    [`pieces[${next}] and pieces[${next + 3}] are both "a"`, added({ text: 'a' })],
    ['pieces has 2 of type UNKNOWN instead of one', added({ text: 'x', type: 'unknown' })],
    ['pieces has 0 of type UNKNOWN instead of one', { pieces: basicPieces.slice(1) }],
    ['pieces has no BYTE <0xFF>', { pieces: basicPieces.slice(0, -1) }],
    ['pieces has a BYTE "<0xGG>"', added({ text: '<0xGG>', type: 'byte' })],
    ['pieces is empty', { pieces: [] }],
  ])('%s', (message, model) => {
    expect(() => parse(model)).toThrow(UserError);
    expect(() => parse(model)).toThrow(`${path}: ${message}`);
  });

  test('with no more than a few of its faults', () => {
    const many = Array.from({ length: 50 }, () => ({ text: '' }));
    expect(() => parse({ pieces: [...basicPieces, ...many] })).toThrow(/piece is empty, and 46 more; /);
  });
});

describe('bytes that are no model', () => {
  const whole = sentencePieceFile({ pieces: [...basicPieces, ...letters] });
  test.each([
    ['nothing', new Uint8Array(0)],
    ['zeros', new Uint8Array(64)],
    ['text', Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 499723\n')],
    ['JSON', Buffer.from('{"pieces": []}')],
    ['a length beyond the end', Uint8Array.of(0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f)],
    ['groups in groups', new Uint8Array(1 << 20).fill(0x33)],
    ['a model cut short', whole.slice(0, whole.length - 9)],
  ])('%s are refused', (_what, bytes) => {
    expect(() => parseSentencePieceModel(bytes, path)).toThrow(UserError);
    expect(() => parseSentencePieceModel(bytes, path)).toThrow(/^tokenizer\.model: /);
  });

  test('whatever one byte is changed, there is a model or a refusal', () => {
    const small = Uint8Array.from(whole);
    for (let at = 0; at < small.length; at += 41) {
      const changed = Uint8Array.from(small);
      changed[at] = changed[at]! ^ (1 << (at % 8));
      try {
        expect(parseSentencePieceModel(changed, path).length).toBeGreaterThan(0);
      } catch (error) {
        expect(error).toBeInstanceOf(UserError);
      }
    }
  });

  test('too many of them are not read', async () => {
    const dir = scratchDirectory();
    await writeFile(join(dir, path), whole);
    await truncate(join(dir, path), 32 * 1024 * 1024 + 1);
    await expect(readTokenizerOf(dir)).rejects.toThrow(
      'tokenizer.model: has 33554433 bytes, more than 33554432',
    );
  });
});

describe('merges', () => {
  const merges = (...pieces: WrittenModel['pieces']) =>
    mergesOf(parse({ pieces: [...basicPieces, ...letters, ...pieces] }), path).map((merge) =>
      merge.join(' '),
    );

  test('come by falling score of their piece, every way to make it', () => {
    expect(merges({ text: 'abc', score: -3 }, { text: 'bc', score: -2 }, { text: 'ab', score: -1 })).toEqual([
      'a b',
      'b c',
      'ab c',
      'a bc',
    ]);
  });

  test('make normal pieces of normal pieces only', () => {
    expect(merges({ text: 'ab', score: -1, type: 'control' }, { text: 'abc', score: -2 })).toEqual([]);
  });

  test('of runs with one score grow from the left', () => {
    expect(merges({ text: 'aa', score: -9 }, { text: 'aaa', score: -9 })).toEqual(['aa a', 'a a', 'a aa']);
  });

  test.each<[string, WrittenModel['pieces']]>([
    [
      'pieces "ab" and "bc" have the same score',
      [
        { text: 'ab', score: -1 },
        { text: 'bc', score: -1 },
      ],
    ],
    [
      'pieces "aa" and "aaaa" have the same score',
      [
        { text: 'aa', score: -1 },
        { text: 'aaaa', score: -1 },
      ],
    ],
    [
      'pieces "aa" and "aaa" have the same score',
      [
        { text: 'aa', score: -2 },
        { text: 'aaa', score: -2 },
        { text: 'aab', score: -1 },
      ],
    ],
    [`pieces[${next + 3}].piece holds "d", which is not a normal piece itself`, [{ text: 'ad' }]],
  ])('that no list can put in order are refused: %s', (message, pieces) => {
    expect(() => merges(...pieces)).toThrow(UserError);
    expect(() => merges(...pieces)).toThrow(message);
  });
});
