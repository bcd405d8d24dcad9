import { z } from 'zod';
import { pairwiseMean } from '../core/pairwise-mean.js';
import {
  dictEntries,
  dictKeys,
  isPythonInt,
  numberOf,
  type PythonDict,
  type PythonValue,
  pythonDict,
  pythonFloat,
} from '../core/python-value.js';
import type { OfficialMetric } from '../milebench/taxonomy.js';
import { collectResults, resultRows, roundedPercent } from '../official/collect-results.js';
import {
  evaluatePredictions,
  type OfficialScore,
  roundedScore,
  sumScores,
} from '../official/evaluate-predictions.js';
import { pythonDictSchema, pythonValueSchema, readFields } from '../official/read-fields.js';
import { matchChoice } from '../scoring/match-choice.js';
import { choiceLabel } from '../scoring/multi-choice.js';
import { normaliseAnswer, normalisePunctuation } from '../scoring/normalise-answer.js';
import { rougeL } from '../scoring/rouge-l.js';
import { withNaN } from './recorded-numbers.js';

/** One function of the official code: how to run a recorded call. */
export interface EvalCall {
  /** Throws a `UserError` where the original raises. */
  readonly run: (input: PythonValue) => PythonValue;
  /** The recorded output in the form that `run` gives. */
  readonly expected: (output: PythonValue) => PythonValue;
}

function call<Schema extends z.ZodType>(
  schema: Schema,
  run: (input: z.output<Schema>) => PythonValue,
  expected: EvalCall['expected'] = (output) => output,
): EvalCall {
  const fix = 'restore the vectors';
  return { run: (value) => run(readFields(schema, { value, where: 'input', fix })), expected };
}

const numberSchema = pythonValueSchema.transform((value, context): OfficialScore => {
  const number = numberOf(withNaN(value));
  if (number === null) context.addIssue('is no number');
  return { value: number ?? 0, isInt: isPythonInt(value) };
});

const evaluationInput = z.object({
  predictions: pythonValueSchema,
  core_json: pythonValueSchema,
  needle: z.boolean().default(true),
});

function evaluate(metric: OfficialMetric): EvalCall['run'] {
  return call(evaluationInput, ({ predictions, core_json: annotation, needle }) => {
    const { summary, sampleScores, extracted } = evaluatePredictions({
      metric,
      // The rule for parts of words goes by name.
      datasetName: metric === 'needle' && !needle ? 'MMCoQA' : '',
      predictions,
      annotation,
      scoring: 'release',
      partial: false,
      files: { predictions: 'predictions', annotation: 'core_json' },
    });
    return pythonDict([
      ...(extracted === null ? [] : [['predictions', extracted] as const]),
      ['result', summary],
      ['scores', sampleScores],
    ]);
  }).run;
}

/** What a call returned is recorded by name, or as the tuple it is. */
function namedParts(names: readonly string[]): EvalCall['expected'] {
  return (output) => {
    const parts: PythonDict = Array.isArray(output)
      ? pythonDict(names.map((name, index) => [name, output[index] ?? null] as const))
      : readFields(pythonDictSchema, { value: output, where: 'output', fix: 'restore the vectors' });
    return pythonDict(
      names.map((name) => {
        const part = parts[name] ?? null;
        return [name, name === 'result' ? withNaN(part) : part] as const;
      }),
    );
  };
}

/** `process_sample`, then `judge_multi_choice`, as the whole evaluation of one sample runs them. */
function judge(sample: PythonDict): PythonValue {
  const choices = sample['choice_list'] ?? null;
  const annotated = pythonDict([
    ['sample_id', sample['sample_id'] ?? null],
    ['image_quantity_level', 'Few'],
    [
      'task_instance',
      pythonDict([
        ['images_path', []],
        ['choice_list', choices],
      ]),
    ],
  ]);
  const { extracted } = evaluatePredictions({
    metric: 'accuracy',
    datasetName: '',
    predictions: [sample],
    annotation: pythonDict([['data', [annotated]]]),
    scoring: 'release',
    partial: false,
    files: { predictions: 'sample', annotation: 'sample' },
  });
  const judged = extracted?.[0] ?? pythonDict([]);
  const fields = [...dictKeys(sample), 'result', 'extracted'];
  return pythonDict(fields.map((field) => [field, judged[field] ?? null] as const));
}

const choiceInput = z.object({ text: z.string(), option: pythonDictSchema });
const rougeInput = z.object({ hypothesis: z.string(), reference: z.string() });
const scoresInput = z.array(numberSchema);

/** `score.py` on evaluations by model and dataset. */
function score(models: PythonDict): PythonValue {
  const numbers = readFields(pythonDictSchema, { value: withNaN(models), where: 'input', fix: '' });
  const summaries = new Map(
    dictEntries(numbers).map(([model, datasets]) => {
      const fields = readFields(pythonDictSchema, {
        value: datasets,
        where: model,
        fix: 'restore the vectors',
      });
      const evaluations = dictEntries(fields).map(
        ([dataset, summary]) =>
          [dataset, readFields(pythonDictSchema, { value: summary, where: dataset, fix: '' })] as const,
      );
      return [model, new Map(evaluations)] as const;
    }),
  );
  return pythonDict([
    ['result', collectResults(summaries)],
    ['table_rows', resultRows(summaries)],
  ]);
}

/** Every recorded function by its name in the vectors. */
export const evalCalls: Readonly<Record<string, EvalCall>> = Object.freeze({
  process: call(z.string(), normaliseAnswer),
  processPunctuation: call(z.string(), normalisePunctuation),
  char: call(z.int().nonnegative(), choiceLabel),
  match_choice: call(choiceInput, ({ text, option }) => {
    const choices = dictEntries(option).map(([label, choice]) => ({ label, text: String(choice) }));
    return matchChoice({ text, choices });
  }),
  judge_multi_choice: call(pythonDictSchema, judge),
  rouge_l: call(
    rougeInput,
    (texts) => {
      const { recall, precision, fMeasure } = rougeL(texts);
      return pythonDict([
        ['r', pythonFloat(recall)],
        ['p', pythonFloat(precision)],
        ['f', pythonFloat(fMeasure)],
      ]);
    },
    withNaN,
  ),
  evaluate_rouge: { run: evaluate('rouge-l'), expected: namedParts(['result', 'scores']) },
  evaluate_needle: { run: evaluate('needle'), expected: namedParts(['result', 'scores']) },
  evaluate_multichoice: {
    run: evaluate('accuracy'),
    expected: namedParts(['predictions', 'result', 'scores']),
  },
  str_round3: call(numberSchema, roundedScore),
  round_percent2: call(pythonValueSchema, (value) => roundedPercent(withNaN(value)), withNaN),
  np_mean: call(
    scoresInput,
    (scores) => pythonFloat(pairwiseMean(scores.map(({ value }) => value))),
    withNaN,
  ),
  sum: call(scoresInput, sumScores, withNaN),
  score_main: call(pythonDictSchema, score, withNaN),
});
