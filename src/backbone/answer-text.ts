import { stripText } from '../core/python-text.js';
import type { TextTokenizer } from './tokenizer.js';

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
  const text = stripText(tokenizer.decode(ids, { skipSpecialTokens: true }));
  const stop = stopStrings.find((candidate) => candidate !== '' && text.endsWith(candidate));
  return stop === undefined ? text : stripText(text.slice(0, -stop.length));
}
