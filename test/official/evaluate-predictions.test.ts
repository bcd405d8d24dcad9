import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Scoring } from '../../src/config/protocols.js';
import { UserError } from '../../src/core/errors.js';
import { formatPythonJson } from '../../src/core/format-python-json.js';
import { parsePythonJson } from '../../src/core/python-json.js';
import { type PythonValue, pythonDict } from '../../src/core/python-value.js';
import { evaluateDataset } from '../../src/official/evaluate-dataset.js';
import type { Evaluation } from '../../src/official/evaluate-predictions.js';
import { officialHashes, readRun } from './recorded-runs.js';

const files = { predictions: 'pred.json', annotation: 'X.json' };

function evaluate(
  datasetName: string,
  { predictions, annotation }: { readonly predictions: PythonValue; readonly annotation: PythonValue },
  { scoring = 'release', partial = false }: { readonly scoring?: Scoring; readonly partial?: boolean } = {},
): Evaluation {
  return evaluateDataset({ datasetName, predictions, annotation, scoring, partial, files });
}

interface Draft {
  readonly questionType?: string;
  readonly samples: readonly string[];
  readonly predictions: readonly string[];
}

/** Predictions and annotation from JSON of their parts. */
function draft({ questionType = 'multi-choice', samples, predictions }: Draft) {
  const meta = `"meta_data": {"question_type": ${JSON.stringify(questionType)}}`;
  return {
    annotation: parsePythonJson(`{${meta}, "data": [${samples.join(', ')}]}`),
    predictions: parsePythonJson(`[${predictions.join(', ')}]`),
  };
}

function sample(id: string, images = 1, choices = '["red", "blue"]'): string {
  const paths = JSON.stringify(Array.from({ length: images }, (_, i) => `${i}.jpg`));
  return `{"sample_id": ${id}, "task_instance": {"images_path": ${paths}, "choice_list": ${choices}}, "image_quantity_level": "?"}`;
}

function prediction(id: string, answer = '"red"', more = ''): string {
  return `{"sample_id": ${id}, "gt_response": "red", "pred_response": ${answer}${more}}`;
}

function json(value: PythonValue): string {
  return formatPythonJson(value, { ascii: true });
}

describe('a multiple-choice prediction', () => {
  test('gets its keys in Python’s order and keeps every other field as it was', () => {
    const more = ', "extracted": 0, "10": 1e5, "9": [1.0, NaN], "__proto__": {"z": 12345678901234567890}';
    const { extracted } = evaluate(
      'X',
      draft({ samples: [sample('"1"')], predictions: [prediction('1', '"RED."', more)] }),
    );
    expect(json(extracted!)).toBe(
      '[{"sample_id": 1, "gt_response": "red", "pred_response": "red", "extracted": "A", "10": 100000.0, "9": [1.0, NaN], ' +
        '"__proto__": {"z": 12345678901234567890}, "choice_list": ["red", "blue"], "image_quantity_level": "?", ' +
        '"image": ["0.jpg"], "result": 1}]',
    );
  });

  test('belongs to the sample whose int(sample_id) it names', () => {
    const samples = [sample('"1"'), sample('2.0'), sample('" +3\\n"'), sample('"1_0"')];
    const { sampleScores } = evaluate(
      'X',
      draft({
        samples,
        predictions: [prediction('10'), prediction('3.0'), prediction('2'), prediction('true')],
      }),
    );
    expect(json(sampleScores)).toBe(
      '[{"id": "10", "score": "1"}, {"id": "3.0", "score": "1"}, {"id": "2", "score": "1"}, {"id": "True", "score": "1"}]',
    );
  });

  test('counts under the level of its images, not of its label', () => {
    const counts = [5, 6, 31, 32];
    const { summary } = evaluate(
      'X',
      draft({
        samples: counts.map((images, id) => sample(String(id), images)),
        predictions: counts.map((images, id) => prediction(String(id), images === 6 ? '"blue"' : '"red"')),
      }),
    );
    expect(json(summary)).toBe(
      '{"Accuracy": 0.75, "image_quantity_level-Accuracy": {"Few": 1.0, "Medium": 0.5, "Many": 1.0}, ' +
        '"image_quantity_level-Result": {"Few": [1, 1], "Medium": [1, 2], "Many": [1, 1]}}',
    );
  });
});

describe('ROUGE-L', () => {
  const open = (answers: readonly string[]) =>
    evaluate(
      'X',
      draft({
        questionType: 'open-ended',
        samples: answers.map((_, id) => sample(String(id))),
        predictions: answers.map((answer, id) => prediction(String(id), answer)),
      }),
    );

  test('of an empty answer is the int 0, of a wrong one the float', () => {
    expect(json(open(['" ! "', '"blue"']).sampleScores)).toBe(
      '[{"id": "0", "score": "0"}, {"id": "1", "score": "0.0"}]',
    );
  });

  test('sums ints to an int', () => {
    expect(json(open(['""', '"."']).summary)).toBe(
      '{"Rouge-L f": 0.0, "image_quantity_level-Accuracy": {"Few": 0.0, "Medium": 0, "Many": 0}, ' +
        '"image_quantity_level-Result": {"Few": [0, 2], "Medium": [0, 0], "Many": [0, 0]}}',
    );
    expect(json(open(['""', '"blue"']).summary)).toContain('"Few": [0.0, 2]');
  });
});

describe('is refused where the script stops, in one line that names file and sample:', () => {
  const two = [sample('1'), sample('2')];
  const cases: readonly (readonly [string, Draft, RegExp])[] = [
    [
      'a missing prediction',
      { samples: two, predictions: [prediction('1')] },
      /^pred\.json: holds 1 predictions for 2 samples; none of 2; .*--partial$/,
    ],
    [
      'a prediction twice',
      { samples: two, predictions: [prediction('1'), prediction('1')] },
      /^pred\.json: holds 2 .*, more than one of 1; none of 2; /,
    ],
    [
      'one prediction too many',
      { samples: two, predictions: ['1', '2', '2'].map((id) => prediction(id)) },
      /^pred\.json: holds 3 .* for 2 samples, more than one of 2; keep one/,
    ],
    [
      'an id of text',
      { samples: two, predictions: [prediction('"1"'), prediction('2')] },
      /^pred\.json: .*; no sample has the id '1'; write ids as integers$/,
    ],
    [
      'a list for an id',
      { samples: two, predictions: [prediction('[1]'), prediction('2')] },
      /^pred\.json, prediction 0, field sample_id: \[1\] is no id; /,
    ],
    [
      'no id',
      { samples: two, predictions: ['{}', prediction('2')] },
      /^pred\.json, prediction 0, field sample_id: is missing; /,
    ],
    [
      'a prediction that is no object',
      { samples: two, predictions: ['3', prediction('2')] },
      /^pred\.json, field 0: is no object; /,
    ],
    [
      'an answer that is no text',
      { samples: two, predictions: [prediction('1', '7'), prediction('2')] },
      /^pred\.json, sample 1, field pred_response: 7 is no string, .*--scoring fixed$/,
    ],
    [
      'a choice that is no text',
      { samples: [sample('1', 1, '["red", 3]')], predictions: [prediction('1')] },
      /^pred\.json, sample 1, field choice_list\.1: 3 is no string/,
    ],
    [
      'no answer',
      { samples: [sample('1')], predictions: ['{"sample_id": 1, "gt_response": "red"}'] },
      /^pred\.json, sample 1, field pred_response: is missing; /,
    ],
    [
      'a reference that is no choice',
      { samples: [sample('1', 1, '["a"]')], predictions: [prediction('1')] },
      /^pred\.json, sample 1: the reference answer "red" is none of the 1 choices; /,
    ],
    [
      'a sample id that is no integer',
      { samples: [sample('"a1"')], predictions: [prediction('1')] },
      /^X\.json, sample #0, field sample_id: "a1" is no integer; /,
    ],
    [
      'no images',
      {
        samples: ['{"sample_id": 1, "image_quantity_level": "Few", "task_instance": {"choice_list": []}}'],
        predictions: [prediction('1')],
      },
      /^X\.json, sample #0, field task_instance\.images_path: /,
    ],
    [
      'no image level',
      {
        samples: ['{"sample_id": 1, "task_instance": {"images_path": [], "choice_list": []}}'],
        predictions: [prediction('1')],
      },
      /^X\.json, sample 1, field image_quantity_level: is missing/,
    ],
    [
      'no choices',
      {
        samples: ['{"sample_id": 1, "image_quantity_level": "Few", "task_instance": {"images_path": []}}'],
        predictions: [prediction('1')],
      },
      /^X\.json, sample 1, field task_instance\.choice_list: is missing/,
    ],
    ['no predictions', { samples: two, predictions: [] }, /^pred\.json: holds no prediction; /],
    [
      'a question type it does not know',
      { questionType: 'essay', samples: two, predictions: [prediction('1')] },
      /^X\.json, field meta_data\.question_type: .*"essay"; /,
    ],
    [
      'an answer of periods only',
      {
        questionType: 'open-ended',
        samples: [sample('1')],
        predictions: [prediction('1', JSON.stringify('.'.repeat(40)))],
      },
      /^pred\.json, sample 1: the official script stops at this answer \(Hypothesis is empty\.\); .*--scoring fixed$/,
    ],
  ];
  test.each(cases)('%s', (_, one, message) => {
    expect(() => evaluate('X', draft(one))).toThrow(UserError);
    expect(() => evaluate('X', draft(one))).toThrow(message);
  });

  test('predictions that are no list, an annotation without samples', () => {
    const one = draft({ samples: two, predictions: [prediction('1')] });
    expect(() => evaluate('X', { ...one, predictions: pythonDict([]) })).toThrow(
      /^pred\.json: .*generate\.py/,
    );
    const annotation = parsePythonJson('{"meta_data": {"question_type": "open-ended"}}');
    expect(() => evaluate('X', { ...one, annotation })).toThrow(/^X\.json, field data: /);
    expect(() => evaluate('X', { ...one, annotation: null })).toThrow(/^X\.json: /);
  });
});

describe('the fixed semantics', () => {
  test('scores what the script stops at: periods only, answers that are no text, no image level', () => {
    const samples = ['{"sample_id": 1, "task_instance": {"images_path": ["a", "b"]}}'];
    const periods = prediction('1', JSON.stringify('.'.repeat(40)));
    const one = draft({ questionType: 'open-ended', samples, predictions: [periods] });
    expect(evaluate('X', one, { scoring: 'fixed' }).scores).toEqual([0]);
    const number = draft({
      samples: [sample('1', 1, '[7, 8.0]')],
      predictions: ['{"sample_id": 1, "gt_response": 8.0, "pred_response": 8.0}'],
    });
    expect(evaluate('X', number, { scoring: 'fixed' }).scores).toEqual([1]);
  });
});

describe('part of the samples', () => {
  const samples = ['1', '2', '3'].map((id) => sample(id));

  test('is scored when accepted, with the number of all samples', () => {
    const one = draft({ samples, predictions: [prediction('3'), prediction('1', '"blue"')] });
    const { scores, samples: all, score } = evaluate('X', one, { partial: true });
    expect({ scores, all, score }).toEqual({ scores: [1, 0], all: 3, score: 0.5 });
  });

  test('may not hold strangers or one sample twice', () => {
    const stranger = draft({ samples, predictions: [prediction('4')] });
    expect(() => evaluate('X', stranger, { partial: true })).toThrow(/no sample has the id 4; remove/);
    const twice = draft({ samples, predictions: [prediction('1'), prediction('1')] });
    expect(() => evaluate('X', twice, { partial: true })).toThrow(/more than one of 1; keep one/);
  });
});

test.each(Object.keys(officialHashes))(
  'the score of %s does not depend on the order of samples',
  (dataset) => {
    const run = readRun(dataset);
    const base = evaluate(dataset, run);
    const byId = new Map(base.sampleScores.map((one) => [one['id'], one['score']]));
    fc.assert(
      fc.property(
        fc.shuffledSubarray([...run.predictions], { minLength: run.predictions.length }),
        (predictions) => {
          const shuffled = evaluate(dataset, { ...run, predictions });
          expect(Math.abs(shuffled.score - base.score)).toBeLessThanOrEqual(1e-12);
          expect(new Map(shuffled.sampleScores.map((one) => [one['id'], one['score']]))).toEqual(byId);
        },
      ),
      { numRuns: 5 },
    );
  },
);
