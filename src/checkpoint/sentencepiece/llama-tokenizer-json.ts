import type { AddedTokens } from './added-tokens.js';
import { mergesOf } from './merges.js';
import type { SentencePiece } from './parse-model.js';

/** SentencePiece's sign for a space, put before every text too. */
const wordMark = '\u2581';

/**
 * `tokenizer.json` of a SentencePiece model as Llama has it: BPE over whole texts with byte fallback, its parts as in
 * the file published for Llama, its tokens those that `sentencepiece` gives.
 *
 * Where a word mark is not simply put before every stretch of text between added tokens, the file says in
 * `word_marks` where it goes, and leaves it out of `normalizer`: user-defined pieces are part of a text, and without
 * `legacy` only the start of the whole text has a mark (source: transformers, tokenization_llama.py).
 *
 * @param path of the model, named in errors
 * @throws UserError when the model cannot be written as a list of merges
 */
export function llamaTokenizerJson(
  pieces: readonly SentencePiece[],
  { tokens, between }: AddedTokens,
  { legacy, path }: { readonly legacy: boolean; readonly path: string },
) {
  const unknown = pieces.find(({ type }) => type === 'unknown');
  const marksEveryStretch = legacy && between.length === tokens.length;
  const prepend = marksEveryStretch ? [{ type: 'Prepend', prepend: wordMark }] : [];
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: tokens,
    ...(marksEveryStretch ? {} : { word_marks: { between, everywhere: legacy } }),
    normalizer: {
      type: 'Sequence',
      normalizers: [...prepend, { type: 'Replace', pattern: { String: ' ' }, content: wordMark }],
    },
    pre_tokenizer: null,
    post_processor: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: wordMark }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        { type: 'Strip', content: ' ', start: 1, stop: 0 },
      ],
    },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: unknown?.text,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: true,
      vocab: Object.fromEntries(pieces.map(({ text }, id) => [text, id])),
      merges: mergesOf(pieces, path).map((merge) => merge.join(' ')),
    },
  };
}
