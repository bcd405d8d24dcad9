import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compactText } from '../../../src/scoring/fixed/compact-text.js';

test('texts of ASCII alone are read as they are within other texts', () => {
  const marks = fc.constantFrom(
    '.',
    ',',
    ' ',
    '5',
    '1',
    'a',
    'B',
    '-',
    '$',
    '\n',
    '\t',
    '\x01',
    '\x7f',
    '_',
    '~',
  );
  const ascii = fc.oneof(
    fc.string({ unit: 'binary-ascii' }),
    fc.array(marks).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(ascii, (text) => {
      const alone = compactText(text);
      const within = compactText(`${text} é`);
      expect(within.compact).toBe(`${alone.compact}é`);
      const end = alone.compact.length;
      expect([...within.starts]).toEqual([...alone.starts, [end, 'é']]);
      expect(new Set(within.ends)).toEqual(new Set([...alone.ends, end + 1]));
    }),
    { numRuns: 2000 },
  );
});

test('numbers are whole words, and marks around them are not', () => {
  expect([...compactText('3.5, 1,005 or .5 - $5').starts.values()]).toEqual([
    ...['3.5', '1,005', 'or', '.5', '$', '5'],
  ]);
});
