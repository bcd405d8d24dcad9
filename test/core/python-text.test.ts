import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitWords, stripText } from '../../src/core/python-text.js';

const separators = [
  ' ',
  '\t',
  '\n',
  '\x1c',
  '\x1f',
  '\x85',
  '\xa0',
  '\u1680',
  '\u2007',
  '\u2029',
  '\u202f',
  '\u3000',
];

describe('Python’s text functions', () => {
  test.each(separators.map((separator) => [separator.codePointAt(0)!.toString(16), separator] as const))(
    'U+%s is white space',
    (_code, separator) => {
      expect(stripText(`${separator}a${separator}`)).toBe('a');
      expect(splitWords(`a${separator}${separator}b`)).toEqual(['a', 'b']);
    },
  );

  test.each(['\u200b', '\ufeff', '\u180e', '\u2060', '\0'])('%j is not white space', (character) => {
    expect(stripText(`${character}a`)).toBe(`${character}a`);
    expect(splitWords(`a${character}b`)).toEqual([`a${character}b`]);
  });

  test('stripping chosen characters leaves the others and the middle', () => {
    expect(stripText(" ''a'b'", new Set("'"))).toBe(" ''a'b");
    expect(stripText("''", new Set("'"))).toBe('');
  });

  test('splitting undoes joining with any white space', () => {
    const word = fc
      .string({ minLength: 1 })
      .filter((text) => splitWords(text).join('') === text && text !== '');
    fc.assert(
      fc.property(fc.array(word), fc.constantFrom(...separators), (words, separator) => {
        expect(splitWords(words.join(separator))).toEqual(words);
      }),
    );
  });
});
