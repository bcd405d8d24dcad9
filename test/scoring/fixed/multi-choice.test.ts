import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { uniqueLabel } from '../../../src/scoring/fixed/choice-labels.js';
import { extractChoice } from '../../../src/scoring/fixed/extract-choice.js';
import { scoreMultiChoiceFixed } from '../../../src/scoring/fixed/multi-choice.js';
import { choiceLabel } from '../../../src/scoring/multi-choice.js';
import { normaliseAnswer } from '../../../src/scoring/normalise-answer.js';

describe('the labels of choices', () => {
  test('are those of the official scorer up to BZ', () => {
    for (let index = 0; index < 78; index++) expect(uniqueLabel(index)).toBe(choiceLabel(index));
  });

  test('are unique, of capitals only, and go on as columns of a sheet do', () => {
    const labels = Array.from({ length: 2000 }, (_, index) => uniqueLabel(index));
    expect(new Set(labels).size).toBe(labels.length);
    expect(labels.filter((label) => !/^[A-Z]+$/.test(label))).toEqual([]);
    expect([uniqueLabel(78), uniqueLabel(701), uniqueLabel(702)]).toEqual(['CA', 'ZZ', 'AAA']);
  });
});

describe('the metric accuracy under fixed', () => {
  const base = { datasetName: 'ActionPrediction' };

  test('accepts letter, text, and letter with text', () => {
    const choices = ['Red car.', 'Blue car.'];
    for (const answer of ['B', 'b', 'blue car', 'B. Blue car.', 'The blue car', 'The answer is B.']) {
      const scored = scoreMultiChoiceFixed({ ...base, answer, response: 'Blue car.', choices });
      expect(scored).toEqual({ score: 1, extracted: 'B' });
    }
  });

  test('prefers text to label, the text with its label to both, and the first of equal choices', () => {
    expect(extractChoice({ ...base, answer: 'b', choices: ['b', 'a'] })).toBe('A');
    expect(extractChoice({ ...base, answer: 'B. a', choices: ['b', 'a'] })).toBe('B');
    expect(extractChoice({ ...base, answer: 'C: it is red', choices: ['red', 'blue', 'green'] })).toBe('A');
    expect(extractChoice({ ...base, answer: 'red', choices: ['red', 'red'] })).toBe('A');
  });

  test('tells choices apart that differ in spaces and marks when the answer is one of them', () => {
    const choices = ['left hand side', 'lefthand side'];
    expect(extractChoice({ ...base, answer: 'lefthand side.', choices })).toBe('B');
  });

  test('reads no letters where the prompt shows none', () => {
    const choices = ['73_609436.jpg', '32_851507.jpg'].map(normaliseAnswer);
    const retrieval = { datasetName: 'GPR1200', choices };
    expect(extractChoice({ ...retrieval, answer: 'Image B' })).toBeNull();
    expect(extractChoice({ ...retrieval, answer: 'B' })).toBe('B');
    expect(extractChoice({ ...retrieval, answer: 'It is 32_851507.jpg.' })).toBe('B');
    expect(extractChoice({ ...base, choices, answer: 'Image B' })).toBe('B');
  });

  test('refuses what the official scorer refuses', () => {
    const sample = { ...base, answer: 'a' };
    expect(() => scoreMultiChoiceFixed({ ...sample, response: 'a', choices: null })).toThrow(/choice_list/);
    expect(() => scoreMultiChoiceFixed({ ...sample, response: 'z', choices: ['a'] })).toThrow(/response/);
  });
});

describe('for any choices', () => {
  const word = fc.constantFrom(
    'no',
    'know',
    'left',
    'up',
    '3.5',
    '$5',
    'a',
    'I',
    'not',
    '(x)',
    'e^f',
    'T-shirt',
    'ü',
    '😀',
  );
  const phrase = fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join(' '));
  const text = fc.oneof(
    phrase,
    fc.string({ minLength: 1, maxLength: 12 }),
    fc.string({ unit: 'binary', minLength: 1 }),
  );
  const written = text.filter((choice) => normaliseAnswer(choice) !== '');
  const choiceLists = fc
    .uniqueArray(written, { minLength: 1, maxLength: 90, selector: normaliseAnswer })
    .filter((choices) => !choices.some((choice) => isLabelOfAnother(choice, choices)));
  const datasetName = fc.constantFrom('TQA', 'GPR1200');

  /** A text that is a label is read as the text: where it labels another choice, that label is lost. */
  function isLabelOfAnother(choice: string, choices: readonly string[]): boolean {
    const own = choices.indexOf(choice);
    return choices.some(
      (_, index) => index !== own && normaliseAnswer(uniqueLabel(index)) === normaliseAnswer(choice),
    );
  }

  test('the choice read is null or one of the labels, and reading it again gives the same', () => {
    fc.assert(
      fc.property(choiceLists, fc.oneof(text, fc.string()), datasetName, (choices, answer, dataset) => {
        const sample = { choices: choices.map(normaliseAnswer), datasetName: dataset };
        const read = extractChoice({ ...sample, answer });
        if (read === null) return;
        expect(choices.map((_, index) => uniqueLabel(index))).toContain(read);
        expect(extractChoice({ ...sample, answer: read })).toBe(read);
      }),
    );
  });

  test('an answer that is the text or the label of a choice scores as that choice', () => {
    fc.assert(
      fc.property(choiceLists, fc.nat(), datasetName, (choices, at, dataset) => {
        const index = at % choices.length;
        const response = choices[index]!;
        for (const answer of [response, normaliseAnswer(response), uniqueLabel(index)]) {
          const scored = scoreMultiChoiceFixed({ datasetName: dataset, answer, response, choices });
          expect(scored).toEqual({ score: 1, extracted: uniqueLabel(index) });
        }
      }),
    );
  });
});
