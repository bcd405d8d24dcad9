import { describe, expect, test } from 'vitest';
import { choiceLabel, scoreMultiChoice } from '../../src/scoring/multi-choice.js';

const base = { datasetName: 'ActionPrediction' };

describe('the label of a choice', () => {
  test.each([
    [0, 'A'],
    [25, 'Z'],
    [26, 'AA'],
    [51, 'AZ'],
    [52, 'BA'],
    [77, 'BZ'],
    [78, 'B['],
  ])('%i is %s', (index, label) => {
    expect(choiceLabel(index)).toBe(label);
  });
});

describe('the metric accuracy', () => {
  test('accepts letter, text, and letter with text', () => {
    const choices = ['Red car.', 'Blue car.'];
    for (const answer of ['B', 'blue car', 'B. Blue car.', 'The blue car']) {
      const scored = scoreMultiChoice({ ...base, answer, response: 'Blue car.', choices });
      expect(scored).toEqual({ score: 1, extracted: 'B' });
    }
  });

  test('takes the first of choices that normalise alike as the reference', () => {
    const scored = scoreMultiChoice({
      ...base,
      answer: 'B',
      response: 'Red.',
      choices: ['red', 'Red', 'blue'],
    });
    expect(scored).toEqual({ score: 0, extracted: 'B' });
  });

  test('cannot be won by a choice past Z with label and text, whose label is cut to one letter', () => {
    const choices = Array.from({ length: 30 }, (_, index) => `img ${index}x`);
    const scored = scoreMultiChoice({ ...base, answer: 'AC img 28x', response: 'img 28x', choices });
    expect(scored).toEqual({ score: 0, extracted: 'A' });
  });

  test('refuses a sample without choices', () => {
    const call = () => scoreMultiChoice({ ...base, answer: 'a', response: 'a', choices: null });
    expect(call).toThrow(/choice_list: the metric accuracy needs choices/);
  });

  test.each([[['x', 'y']], [[]]])('refuses a reference that is none of the choices %j', (choices) => {
    const call = () => scoreMultiChoice({ ...base, answer: 'a', response: 'not there', choices });
    expect(call).toThrow(/response: the reference answer "not there" is none of the/);
  });
});
