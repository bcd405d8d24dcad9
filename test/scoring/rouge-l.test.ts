import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { UserError } from '../../src/core/errors.js';
import { rougeL, scoreRougeL, scoreRougeLFixed } from '../../src/scoring/rouge-l.js';
import { readRows } from './fixture.js';

const rows = readRows(
  'rouge_l.json',
  z.object({
    input: z.object({ hypothesis: z.string(), reference: z.string() }),
    output: z.object({ r: z.number(), p: z.number(), f: z.number() }).optional(),
    error: z.object({ type: z.literal('ValueError') }).optional(),
  }),
);
const open = { datasetName: 'ALFRED', choices: null };

describe('ROUGE-L', () => {
  test('equals the rouge package to the bit on every row', () => {
    const scored = rows.flatMap(({ input, output }) => (output === undefined ? [] : [{ input, output }]));
    expect(scored.length).toBeGreaterThan(100);
    const wrong = scored.filter(({ input, output }) => {
      const { recall, precision, fMeasure } = rougeL(input);
      return recall !== output.r || precision !== output.p || fMeasure !== output.f;
    });
    expect(wrong).toEqual([]);
  });

  test.each(rows.filter((row) => row.error !== undefined))(
    'refuses $input as the package does',
    ({ input }) => {
      expect(() => rougeL(input)).toThrow(UserError);
    },
  );

  test('counts words once, however often they occur', () => {
    expect(rougeL({ hypothesis: 'the the the', reference: 'the' })).toMatchObject({
      recall: 1,
      precision: 1,
    });
  });

  test('splits sentences inside numbers', () => {
    expect(rougeL({ hypothesis: '3.5', reference: '3 . 5' })).toMatchObject({ recall: 1, precision: 1 });
  });

  test('has an empty word between periods with only a space between them', () => {
    expect(rougeL({ hypothesis: 'a. .', reference: 'a' })).toMatchObject({ recall: 1, precision: 0.5 });
  });

  test('of a text with itself is one, up to the package’s 1e-8', () => {
    const text = fc
      .array(fc.constantFrom('a', 'b', 'cat', 'dog', '7'), { minLength: 1 })
      .map((words) => words.join(' '));
    fc.assert(
      fc.property(text, (same) => {
        const { recall, precision, fMeasure } = rougeL({ hypothesis: same, reference: same });
        expect([recall, precision]).toEqual([1, 1]);
        expect(fMeasure).toBe(2 / (2 + 1e-8));
      }),
    );
  });

  test('keeps recall and precision in [0, 1] and gives 0 without a common word', () => {
    const word = fc.constantFrom('a', 'b', 'c', 'd', '.', 'x.y');
    const text = fc.array(word, { minLength: 1 }).map((words) => `w ${words.join(' ')}`);
    fc.assert(
      fc.property(text, text, (hypothesis, reference) => {
        const { recall, precision } = rougeL({ hypothesis, reference });
        expect(recall).toBeGreaterThan(0);
        expect(Math.max(recall, precision)).toBeLessThanOrEqual(1);
        expect(rougeL({ hypothesis, reference: 'elsewhere' }).fMeasure).toBe(0);
      }),
    );
  });
});

describe('the metric rouge-l', () => {
  test('normalises both texts first', () => {
    const { score } = scoreRougeL({ ...open, answer: ' The CAT!\n', response: '"the cat"' });
    expect(score).toBe(2 / (2 + 1e-8));
  });

  test.each(['', ' ', '.', '?!', '.'.repeat(32)])('gives the answer %j nothing', (answer) => {
    for (const score of [scoreRougeL, scoreRougeLFixed]) {
      expect(score({ ...open, answer, response: 'a cat' })).toEqual({ score: 0, extracted: null });
    }
  });

  test.each(['', '...', '.'.repeat(40)])('refuses the reference %j', (response) => {
    for (const score of [scoreRougeL, scoreRougeLFixed]) {
      expect(() => score({ ...open, answer: 'a', response })).toThrow(
        /reference.*give the sample a response/,
      );
    }
  });

  test('gives an empty answer nothing before it looks for sentences in the reference', () => {
    expect(scoreRougeL({ ...open, answer: '', response: '.'.repeat(40) }).score).toBe(0);
    expect(() => scoreRougeL({ ...open, answer: '', response: '...' })).toThrow(UserError);
  });

  test('scores alike under both semantics wherever the official script does not abort', () => {
    const text = fc
      .array(fc.constantFrom('a', 'cat', '.', '3.5', '!', '...'))
      .map((words) => words.join(' '));
    fc.assert(
      fc.property(text, text, (answer, response) => {
        const input = { ...open, answer, response: `the ${response}` };
        const release = scoreRougeL(input);
        if (release.aborts === undefined) expect(scoreRougeLFixed(input)).toEqual(release);
      }),
    );
  });
});
