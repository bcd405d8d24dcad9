import type { TextTokenizer } from './tokenizer.js';

/** What Python's `str.strip` removes; U+FEFF and U+200B are not in it. */
const whiteSpace =
  '\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000';

/**
 * The answer of generated ids: decoded without special tokens, stripped, a stop string at its end removed, stripped
 * again.
 *
 * Reference: LLaVA eval/run_llava.py. LOOK-M's workers leave the stop string in place; that makes no difference for
 * LLaVA, whose stop strings are special tokens.
 */
export function answerText(
  ids: readonly number[],
  tokenizer: TextTokenizer,
  stopStrings: readonly string[],
): string {
  const text = stripped(tokenizer.decode(ids, { skipSpecialTokens: true }));
  const stop = stopStrings.find((candidate) => candidate !== '' && text.endsWith(candidate));
  return stop === undefined ? text : stripped(text.slice(0, -stop.length));
}

function stripped(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && whiteSpace.includes(text[start]!)) start++;
  while (end > start && whiteSpace.includes(text[end - 1]!)) end--;
  return text.slice(start, end);
}
