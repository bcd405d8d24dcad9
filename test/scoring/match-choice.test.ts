import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { matchChoice } from '../../src/scoring/match-choice.js';
import { readRows } from './fixture.js';

const rows = readRows(
  'match_choice.json',
  z.object({
    input: z.object({ text: z.string(), option: z.record(z.string(), z.string()) }),
    output: z.string(),
  }),
);

function labelled(texts: readonly string[]) {
  return texts.map((text, index) => ({ label: String.fromCharCode(65 + index), text }));
}

describe('the label read out of an answer', () => {
  test('equals match_choice of the official scorer on every row', () => {
    expect(rows.length).toBeGreaterThan(500);
    const wrong = rows.filter(({ input, output }) => {
      const choices = Object.entries(input.option).map(([label, text]) => ({ label, text }));
      return matchChoice({ text: input.text, choices }) !== output;
    });
    expect(wrong).toEqual([]);
  });

  test('of an empty answer is C', () => {
    expect(matchChoice({ text: '', choices: labelled(['yes', 'no']) })).toBe('C');
  });

  test('is the leftmost choice; of choices at the same place, the first', () => {
    expect(matchChoice({ text: 'left, then top', choices: labelled(['top', 'left']) })).toBe('B');
    expect(matchChoice({ text: 'top left', choices: labelled(['top', 'top left']) })).toBe('A');
    expect(matchChoice({ text: 'top left', choices: labelled(['top left', 'top']) })).toBe('A');
  });

  test('is found inside a longer word', () => {
    expect(matchChoice({ text: 'i know', choices: labelled(['yes', 'no']) })).toBe('B');
  });

  test('is never a choice whose text holds a mark of regular expressions', () => {
    expect(matchChoice({ text: '3.5', choices: labelled(['3.5', '4.5']) })).toBe('');
    expect(matchChoice({ text: 'a 3.5', choices: labelled(['3.5', '4.5']) })).toBe('A');
  });

  test('is every letter of the answer that is a label when nothing else fits', () => {
    expect(matchChoice({ text: 'the answer is c', choices: labelled(['red', 'blue', 'green']) })).toBe('AC');
  });

  test('is the answer itself when there are no choices', () => {
    expect(matchChoice({ text: 'anything', choices: [] })).toBe('anything');
  });

  test('is the first empty choice when the text of the answer is no help', () => {
    expect(matchChoice({ text: 'green', choices: labelled(['red', '']) })).toBe('B');
  });
});
