import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { uniqueLabel } from '../../../src/scoring/fixed/choice-labels.js';
import { findChoiceText } from '../../../src/scoring/fixed/choice-text.js';
import { compactText } from '../../../src/scoring/fixed/compact-text.js';

function find(answer: string, texts: readonly string[]): string | null {
  const choices = texts.map((text, index) => ({
    label: uniqueLabel(index),
    compact: compactText(text).compact,
  }));
  return findChoiceText(compactText(answer), choices)?.label ?? null;
}

describe('the choice an answer names', () => {
  test.each([
    ['The car is blue.', ['red', 'blue'], 'B'],
    ['B.Moved left', ['moved', 'moved left'], 'B'],
    ['**blue**', ['red', 'blue'], 'B'],
    ['a T-shirt - red', ['trousers', 'T-shirt'], 'B'],
    ['ICE CREAM', ['icecream', 'cake'], 'A'],
    ['number 73_609436.jpg', ['73_609430.jpg', '73_609436.jpg'], 'B'],
    ['5% of all', ['5', '5%'], 'B'],
    ['left, then top', ['top', 'left'], 'B'],
    ['top left corner', ['top', 'top left'], 'B'],
    ['a rather long walk', ['long walk home', 'long'], 'B'],
  ])('%j of %j is %j', (answer, choices, label) => {
    expect(find(answer, choices)).toBe(label);
  });

  test.each([
    ['nothing known', ['no', 'know']],
    ['reddish, bored, hundred', ['red']],
    ['13.5 or 3.55', ['3.5']],
    ['3.5', ['3', '5', '35']],
    ['10:30', ['10', '30']],
    ['.5', ['5']],
    ['moved', ['moved left']],
    ['!?', ['?', '!']],
  ])('%j names none of %j', (answer, choices) => {
    expect(find(answer, choices)).toBeNull();
  });

  test('is the one with its label beside it, even after another one', () => {
    expect(find('not red: B. blue', ['red', 'blue'])).toBe('B');
    expect(find('red is wrong, b blue right', ['red', 'blue'])).toBe('B');
  });

  test('is not labelled by an article', () => {
    expect(find('a dog near a cat', ['cat', 'dog'])).toBe('B');
    expect(find('A cat', ['cat', 'dog'])).toBe('A');
  });

  test('is found between any words, whatever marks and spaces stand in it', () => {
    const word = fc.constantFrom('alpha', 'beta', 'gamma');
    const mark = fc.constantFrom(' ', '  ', '-', ', ', '/', '\n', '. ');
    const around = fc.constantFrom('', 'so ', '(', '** ', 'and then: ');
    fc.assert(
      fc.property(
        fc.tuple(word, mark, word),
        mark,
        around,
        around,
        ([first, , second], between, before, after) => {
          const answer = `${before}${first}${between}${second}${after === '' ? '' : ` ${after}`}`;
          expect(find(answer, ['delta', `${first} ${second}`])).toBe('B');
          expect(find(`x${first}${between}${second}`, [`${first} ${second}`])).toBeNull();
        },
      ),
    );
  });
});

describe('a compact text', () => {
  test('holds the text without spaces and punctuation, and the edges of its words', () => {
    const { compact, starts, ends } = compactText('It costs $1,000.50 (B).');
    expect(compact).toBe('itcosts$1000.50b');
    expect([...starts]).toEqual([
      [0, 'It'],
      [2, 'costs'],
      [7, '$'],
      [8, '1,000.50'],
      [15, 'B'],
    ]);
    expect([...ends]).toEqual([2, 7, 8, 15, 16]);
  });

  test('takes time in proportion to the text', () => {
    const long = '1,'.repeat(50_000);
    expect(compactText(long).compact).toBe('1'.repeat(50_000));
    expect(find('a'.repeat(100_000), ['a', 'aa', 'b'])).toBeNull();
  });
});
