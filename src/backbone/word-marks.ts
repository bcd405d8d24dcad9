import { z } from 'zod';

/** Where a tokenizer puts its word mark when `normalizer` does not say it: `word_marks` of `tokenizer.json`. */
export const wordMarksSchema = z.object({
  /** Tokens that end one stretch of text and begin another. */
  between: z.array(z.string().min(1)).min(1),
  /** Whether every stretch begins with a mark, or only one at the start of the whole text. */
  everywhere: z.boolean(),
});
export type WordMarks = z.output<typeof wordMarksSchema>;

/** SentencePiece's sign for a space. */
const wordMark = '\u2581';

/**
 * Lets `encode` see one stretch of text at a time, with its word mark, or one of the tokens between.
 *
 * Source: transformers, tokenization_llama.py, `LlamaTokenizer` over SentencePiece.
 */
export function encodeWithWordMarks(
  encode: (text: string) => number[],
  { between, everywhere }: WordMarks,
): (text: string) => number[] {
  const longestFirst = [...between].sort((a, b) => b.length - a.length).map(escapeRegExp);
  const tokens = new RegExp(`(${longestFirst.join('|')})`);
  return (text) =>
    text.split(tokens).flatMap((part, index) => {
      if (part === '') return [];
      const isStretch = index % 2 === 0;
      return encode(isStretch && (everywhere || index === 0) ? wordMark + part : part);
    });
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
