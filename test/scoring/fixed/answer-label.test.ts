import { describe, expect, test } from 'vitest';
import { findAnswerLabel, labelOfWholeAnswer } from '../../../src/scoring/fixed/answer-label.js';
import { choiceLabels } from '../../../src/scoring/fixed/choice-labels.js';

const four = choiceLabels({ count: 4, datasetName: 'TQA' });
const ten = choiceLabels({ count: 10, datasetName: 'TQA' });
const forty = choiceLabels({ count: 40, datasetName: 'TQA' });

describe('the label in an answer', () => {
  test.each([
    ['I think B', 'B'],
    ['B because the object moved', 'B'],
    ['B\n\nA dog can be seen.', 'B'],
    ['Answer:B', 'B'],
    ['**B**', 'B'],
    ['Option (B).', 'B'],
    ['It is “D”', 'D'],
    ['my choice = c', 'C'],
    ['B, B and B', 'B'],
    ['a cat, so B', 'B'],
    ['option b', 'B'],
  ])('%j is %j', (answer, label) => {
    expect(findAnswerLabel(answer, four)).toBe(label);
  });

  test.each([['A or B'], ['A and B'], ['A B C D'], ['a or b'], ['B. Or C?'], ['Neither A nor D']])(
    'is none when there are several: %j',
    (answer) => {
      expect(findAnswerLabel(answer, four)).toBeNull();
    },
  );

  test.each([
    ['bad cab'],
    ['A/B'],
    ['AB'],
    ['a d.c. motor, e.g. one'],
    ["c'mon, it's d'accord"],
    ['x-ray of a b-cell'],
    ['C++ code'],
    ['E'],
    [''],
  ])('is no part of a word: %j', (answer) => {
    expect(findAnswerLabel(answer, four)).toBeNull();
  });

  test.each([
    ['A dog runs', null],
    ['It moved. A dog runs', null],
    ['"A dog" is seen', null],
    ['there is a dog', null],
    ['This Is A Dog', null],
    ['A', 'A'],
    ['A.', 'A'],
    ['A: the dog', 'A'],
    ['A\nThe dog runs', 'A'],
    ['A is correct', 'A'],
    ['Option A shows it', 'A'],
    ['the answer is A since it runs', 'A'],
    ['The answer is A dog or no dog', 'A'],
    ['the answer is a', 'A'],
    ['the answer is a dog', null],
  ])('is not the article: %j is %j', (answer, label) => {
    expect(findAnswerLabel(answer, four)).toBe(label);
  });

  test.each([
    ['I see two dogs', null],
    ['I think I know: C', 'C'],
    ['I', 'I'],
    ['The answer is I.', 'I'],
    ['Choice I fits', 'I'],
  ])('is not the pronoun: %j is %j', (answer, label) => {
    expect(findAnswerLabel(answer, ten)).toBe(label);
  });

  test.each([
    ['not A', null],
    ["It isn't option C", null],
    ['B, not A', 'B'],
    ['not option A but D', 'D'],
    ['Is it red or not? B', 'B'],
  ])('is not one that is denied: %j is %j', (answer, label) => {
    expect(findAnswerLabel(answer, four)).toBe(label);
  });

  test('past the 32nd choice a small letter is the later choice the prompt shows it for', () => {
    expect(findAnswerLabel('the answer is c', forty)).toBe('AI');
    expect(findAnswerLabel('the answer is C', forty)).toBe('C');
    expect(findAnswerLabel('the answer is AC', forty)).toBe('AC');
  });

  test('of two letters must be in capitals', () => {
    expect(findAnswerLabel('as the dog ran', choiceLabels({ count: 50, datasetName: 'TQA' }))).toBeNull();
  });
});

describe('an answer that is nothing but a label', () => {
  test.each([
    ['B', 'B'],
    ['b', 'B'],
    [' (b).\n', 'B'],
    ['"C"', 'C'],
    ['a', 'A'],
    ['E', null],
    ['AB', null],
    ['', null],
    ['.', null],
  ])('%j is %j', (answer, label) => {
    expect(labelOfWholeAnswer(answer, four)).toBe(label);
  });

  test.each([
    ['AB', 'AB'],
    ['ab', 'AB'],
    ['[', 'AA'],
    ['].', 'AC'],
    ['_', 'AE'],
    ['a', 'AG'],
    ['A', 'A'],
    ['z', 'Z'],
    ['ao', null],
  ])('of forty choices: %j is %j', (answer, label) => {
    expect(labelOfWholeAnswer(answer, forty)).toBe(label);
  });

  test('has no shown form where the prompt lists choices without labels', () => {
    const bare = choiceLabels({ count: 40, datasetName: 'GPR1200' });
    expect(labelOfWholeAnswer('[', bare)).toBeNull();
    expect(labelOfWholeAnswer('a', bare)).toBe('A');
    expect(labelOfWholeAnswer('AA', bare)).toBe('AA');
  });
});
