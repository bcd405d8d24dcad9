import type { TextTokenizer } from '../../src/backbone/tokenizer.js';

/** One id for each character, its code point; `<n>` is the special token of id n and is skipped when asked. */
export const characterTokenizer: TextTokenizer = {
  encode: (text) => Array.from(text, (character) => character.codePointAt(0) ?? 0),
  decode: (ids, { skipSpecialTokens }) =>
    ids.map((id) => (id >= 32 ? String.fromCodePoint(id) : skipSpecialTokens ? '' : `<${id}>`)).join(''),
};
