import { describe, expect, test } from 'vitest';
import { scoreNeedle } from '../../src/scoring/needle.js';

function score(datasetName: string, answer: string, response: string): number {
  return scoreNeedle({ datasetName, answer, response, choices: null }).score;
}

describe('the metric needle', () => {
  test('finds the reference as one word of the answer', () => {
    expect(score('TextNeedleInAHaystack', 'The number is 550.', '550')).toBe(1);
    expect(score('TextNeedleInAHaystack', 'The number is 5501.', '550')).toBe(0);
  });

  test('never finds a reference of several words', () => {
    expect(score('TextNeedleInAHaystack', 'seven apples', 'seven apples')).toBe(0);
  });

  test('splits words where Python does', () => {
    expect(score('ImageNeedleInAHaystack', 'it is\u300042\u3000here', '42')).toBe(1);
    expect(score('ImageNeedleInAHaystack', 'it is\ufeff42', '42')).toBe(0);
  });

  test('finds any part of the answer for MMCoQA, also an empty one', () => {
    expect(score('MMCoQA', 'New York City!', 'york')).toBe(1);
    expect(score('MMCoQA', 'newyork', 'York')).toBe(1);
    expect(score('MMCoQA', 'anything', '')).toBe(1);
    expect(score('MMCoQA', 'boston', 'York')).toBe(0);
  });

  test('goes by whole words for datasets with names of their own', () => {
    expect(score('MyNeedles', '5501', '550')).toBe(0);
    expect(score('MyNeedles', 'it is 550', '550')).toBe(1);
  });
});
