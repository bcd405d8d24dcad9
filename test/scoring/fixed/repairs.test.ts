import { describe, expect, test } from 'vitest';
import type { ScoreAnswer } from '../../../src/scoring/metric.js';
import { metrics } from '../../../src/scoring/registry.js';

const { accuracy, 'rouge-l': rougeL, needle } = metrics;
const colours = ['red', 'blue', 'green', 'white'];
const moves = ['Moved left', 'Moved left and up', 'Moved', 'Moved right'];
const items = Array.from({ length: 90 }, (_, index) => `item ${index}x`);

/** What a scoring reads out of an answer. */
function read(score: ScoreAnswer, answer: string, choices: readonly string[]): string | null {
  return score({ datasetName: 'TQA', answer, response: choices[0]!, choices }).extracted;
}

interface Row {
  readonly answer: string;
  readonly choices: readonly string[];
  readonly release: string;
  readonly fixed: string | null;
}

const repairs: Readonly<Record<string, readonly Row[]>> = {
  'letters are not joined': [
    { answer: 'the answer is c', choices: colours, release: 'AC', fixed: 'C' },
    { answer: 'The answer is D.', choices: colours, release: 'AD', fixed: 'D' },
    { answer: 'maybe', choices: colours, release: 'AB', fixed: null },
    { answer: 'A dog', choices: colours, release: 'AD', fixed: null },
    { answer: 'Because of a cat', choices: colours, release: 'BCAACA', fixed: null },
    { answer: 'The answer is B, not A.', choices: colours, release: 'ABA', fixed: 'B' },
    { answer: 'Sorry, I cannot tell.', choices: colours, release: 'CA', fixed: null },
  ],
  'choices with marks of regular expressions count': [
    { answer: '3.5', choices: ['2.5', '3.5'], release: '', fixed: 'B' },
    { answer: 'It costs $5.', choices: ['$4', '$5'], release: '', fixed: 'B' },
    { answer: 'c*d', choices: ['a^b', 'c*d', 'x', 'y'], release: 'CD', fixed: 'B' },
    { answer: 'x|y', choices: ['x^y', 'x|y'], release: '', fixed: 'B' },
    { answer: 'e^f', choices: ['c*d', 'e^f'], release: '', fixed: 'B' },
    { answer: 'Walk ahead by 0.25', choices: ['Stop', 'Walk ahead by 0.25'], release: 'AAAB', fixed: 'B' },
  ],
  'choices past Z have labels of their own, read whole': [
    { answer: 'AC item 28x', choices: items, release: 'A', fixed: 'AC' },
    { answer: 'BA. item 52x', choices: items, release: 'B', fixed: 'BA' },
    { answer: 'item 78x', choices: items, release: 'B[', fixed: 'CA' },
    { answer: 'The label AC', choices: items, release: 'THELABELAC', fixed: 'AC' },
    { answer: '[.', choices: items, release: 'C', fixed: 'AA' },
  ],
  'an empty answer names nothing': [
    { answer: '', choices: colours, release: 'C', fixed: null },
    { answer: ' \n', choices: colours, release: 'C', fixed: null },
    { answer: '"?!"', choices: colours, release: 'C', fixed: null },
    { answer: '...', choices: ['yes', 'no'], release: 'C', fixed: null },
  ],
  'a choice is not found inside words or shorter than it is written': [
    { answer: 'I do not know', choices: ['yes', 'no'], release: 'B', fixed: null },
    { answer: 'moved left and up', choices: moves, release: 'A', fixed: 'B' },
    { answer: 'It moved right.', choices: moves, release: 'C', fixed: 'D' },
    { answer: 'Image 12', choices: ['Image 1', 'Image 2', 'Image 12'], release: 'A', fixed: 'C' },
    { answer: 'A. Image 12', choices: ['Image 1', 'Image 2', 'Image 12'], release: 'A', fixed: 'C' },
    { answer: '1,005', choices: ['5', '1', '1005'], release: 'B', fixed: 'C' },
  ],
};

describe.each(Object.entries(repairs))('the repair "%s"', (_, rows) => {
  test.each(rows)(
    'of $answer: release reads $release, fixed $fixed',
    ({ answer, choices, release, fixed }) => {
      expect(read(accuracy.release, answer, choices)).toBe(release);
      expect(read(accuracy.fixed, answer, choices)).toBe(fixed);
      expect(fixed).not.toBe(release);
    },
  );
});

test('an empty answer wins nothing where the reference is C', () => {
  const sample = { datasetName: 'TQA', answer: '', response: 'green', choices: colours };
  expect(accuracy.release(sample).score).toBe(1);
  expect(accuracy.fixed(sample)).toEqual({ score: 0, extracted: null });
});

test('a choice past BZ can be won by its label', () => {
  const sample = { datasetName: 'TQA', answer: 'CA', response: 'item 78x', choices: items };
  expect(accuracy.release(sample).score).toBe(0);
  expect(accuracy.fixed(sample)).toEqual({ score: 1, extracted: 'CA' });
});

test('an answer of many periods scores 0 by ROUGE-L and aborts only the release', () => {
  const sample = { datasetName: 'ALFRED', answer: '.'.repeat(33), response: 'a cat', choices: null };
  expect(rougeL.release(sample)).toEqual({ score: 0, extracted: null, aborts: 'Hypothesis is empty.' });
  expect(rougeL.fixed(sample)).toEqual({ score: 0, extracted: null });
});

test('needle has nothing to repair: one function serves both semantics', () => {
  expect(needle.fixed).toBe(needle.release);
});
