import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { normaliseAnswer, normalisePunctuation } from '../../src/scoring/normalise-answer.js';
import { readRows } from './fixture.js';

const rows = readRows(
  'process.json',
  z.object({ fn: z.enum(['process', 'processPunctuation']), input: z.string(), output: z.string() }),
);
const ours = { process: normaliseAnswer, processPunctuation: normalisePunctuation };

describe('normalised answers', () => {
  test.each(['process', 'processPunctuation'] as const)(
    'equal %s of the official scorer on every row',
    (fn) => {
      const chosen = rows.filter((row) => row.fn === fn);
      expect(chosen.length).toBeGreaterThan(100);
      const wrong = chosen.filter((row) => ours[fn](row.input) !== row.output);
      expect(wrong).toEqual([]);
    },
  );

  test('lose a mark that touches a space anywhere and get a space for the others', () => {
    expect(normaliseAnswer('a-b/c -d')).toBe('ab c d');
  });

  test('lose every mark when digits stand around a comma', () => {
    expect(normaliseAnswer('a-b 1,000')).toBe('ab 1000');
    expect(normaliseAnswer('a-b 1,x')).toBe('a b 1 x');
  });

  test('keep periods before digits of any script and lose 32 others at most', () => {
    expect(normaliseAnswer('3.5.')).toBe('3.5');
    expect(normaliseAnswer('.٣')).toBe('.٣');
    expect(normaliseAnswer('.'.repeat(40))).toBe('.'.repeat(8));
  });

  test('are stripped of Python’s white space, not of JavaScript’s', () => {
    expect(normaliseAnswer('\x1c\u3000a\x85')).toBe('a');
    expect(normaliseAnswer('\ufeffa\ufeff')).toBe('\ufeffa\ufeff');
  });

  test('hold no outer white space and no capital letter', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const normalised = normaliseAnswer(text);
        expect(normalised).toBe(normalised.toLowerCase());
        expect(normalised).not.toMatch(/^[ \n\t]|[ \n\t]$|[;/[\]"{}()=+\\_\-><@`,?!\n\t]/);
      }),
    );
  });
});
