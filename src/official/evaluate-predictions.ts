import type { Scoring } from '../config/protocols.js';
import { UserError } from '../core/errors.js';
import { pairwiseMean } from '../core/pairwise-mean.js';
import { roundFloat } from '../core/python-float.js';
import { pythonStr } from '../core/python-format.js';
import { type PythonDict, type PythonValue, pythonDict, pythonFloat } from '../core/python-value.js';
import { type QuantityLevel, quantityLevel, quantityLevels } from '../milebench/quantity-level.js';
import type { OfficialMetric } from '../milebench/taxonomy.js';
import type { AnswerScore } from '../scoring/metric.js';
import { normaliseAnswer } from '../scoring/normalise-answer.js';
import { findMetric } from '../scoring/registry.js';
import { type EvaluationInput, type PredictionRow, pairPredictions } from './pair-predictions.js';

/** A score as Python holds it: of an int and a float of the same value the texts differ. */
export interface OfficialScore {
  readonly value: number;
  readonly isInt: boolean;
}

/** What `evaluate.py` computes for one dataset. */
export interface Evaluation {
  readonly metric: OfficialMetric;
  /** Mean over the predictions; NaN for none. */
  readonly score: number;
  /** One a prediction, in [0, 1], in the order of the predictions. */
  readonly scores: readonly number[];
  /** Samples of the annotation: more than scores when some have no prediction. */
  readonly samples: number;
  /** Content of `eval.json`. */
  readonly summary: PythonDict;
  /** Content of `eval_score.json`. */
  readonly sampleScores: readonly PythonDict[];
  /** Content of `pred_with_extracted.json`, which the script writes for multiple choice only. */
  readonly extracted: readonly PythonDict[] | null;
}

/** Decimals of the scores in `eval_score.json`. */
const scoreDecimals = 3;

/** Python's `round(score, 3)` as text. */
export function roundedScore({ value, isInt }: OfficialScore): string {
  return pythonStr(isInt ? value : pythonFloat(roundFloat(value, scoreDecimals)));
}

/** Python's `sum(scores)`: from left to right, an int when every score is one. */
export function sumScores(scores: readonly OfficialScore[]): PythonValue {
  let sum = 0;
  for (const { value } of scores) sum += value;
  return scores.every(({ isInt }) => isInt) ? sum : pythonFloat(sum);
}

function meanScore(scores: readonly OfficialScore[]): number {
  return pairwiseMean(scores.map(({ value }) => value));
}

/** A prediction under way through the script. */
interface Place {
  readonly row: PredictionRow;
  /** File and sample, for errors. */
  readonly where: string;
  readonly scoring: Scoring;
}

/** A field the script takes for text: it stops at anything else, `fixed` takes Python's text of it. */
function textOf(value: PythonValue | undefined, field: string, { where, scoring }: Place): string {
  if (typeof value === 'string') return value;
  const at = `${where}, field ${field}`;
  if (value === undefined) {
    throw new UserError({ what: 'is missing', where: at, fix: 'write predictions as generate.py does' });
  }
  if (scoring === 'fixed') return pythonStr(value);
  const what = `${pythonStr(value)} is no string, and the official script stops there`;
  throw new UserError({ what, where: at, fix: 'write it as a string or score with --scoring fixed' });
}

function listOf(field: string, { row, where }: Place): readonly PythonValue[] {
  const value = row.get(field);
  if (Array.isArray(value)) return value;
  const what = value === undefined ? 'is missing: another prediction has the same id' : 'is no list';
  throw new UserError({ what, where: `${where}, field ${field}`, fix: 'keep one prediction a sample' });
}

function levelOf(place: Place): QuantityLevel {
  return quantityLevel(listOf('image', place).length);
}

/** Runs a metric; where the official script would stop at the answer, so does this. */
function scoreRow(place: Place, { datasetName, metric, scoring }: EvaluationInput): AnswerScore {
  const { row, where } = place;
  const choices =
    metric === 'accuracy'
      ? listOf('choice_list', place).map((choice, i) => textOf(choice, `choice_list.${i}`, place))
      : null;
  const answer = textOf(row.get('pred_response'), 'pred_response', place);
  const response = textOf(row.get('gt_response'), 'gt_response', place);
  try {
    const score = findMetric(metric)[scoring]({ datasetName, answer, response, choices });
    if (score.aborts === undefined) return score;
    const what = `the official script stops at this answer (${score.aborts})`;
    throw new UserError({ what, fix: 'take the sample out or score with --scoring fixed' });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError({ ...error.problem, where }, { cause: error });
  }
}

/** What the script leaves in a multiple-choice prediction: normalised texts, the label it read, the score. */
function withExtracted(place: Place, { score, extracted }: AnswerScore): PythonDict {
  const { row } = place;
  const normalised = (value: PythonValue | undefined, field: string) =>
    normaliseAnswer(textOf(value, field, place));
  for (const field of ['gt_response', 'pred_response']) row.set(field, normalised(row.get(field), field));
  const choices = listOf('choice_list', place).map((choice, i) => normalised(choice, `choice_list.${i}`));
  row.set('choice_list', choices).set('extracted', extracted).set('result', score);
  return pythonDict(row);
}

/** By image quantity level, under the script's keys. */
function byLevel(
  scores: ReadonlyMap<QuantityLevel, readonly OfficialScore[]>,
  entryOf: (scores: readonly OfficialScore[]) => PythonValue,
): PythonDict {
  return pythonDict(quantityLevels.map((level) => [level, entryOf(scores.get(level)!)] as const));
}

/**
 * Scores the predictions of one dataset by the rules of `evaluate.py`: `evaluate_multichoice`, `evaluate_needle` or
 * `evaluate_rouge`, by metric. Image levels count the images of the annotation.
 * Throws a `UserError` naming file and sample where the script would stop; see also `pairPredictions`.
 */
export function evaluatePredictions(input: EvaluationInput): Evaluation {
  const { metric, scoring, files } = input;
  const { rows, samples } = pairPredictions(input);
  if (rows.length === 0 && metric !== 'rouge-l') {
    const what = 'holds no prediction, and there is no accuracy of none';
    throw new UserError({ what, where: files.predictions, fix: 'predict the samples first' });
  }
  const scores: OfficialScore[] = [];
  const sampleScores: PythonDict[] = [];
  const extracted: PythonDict[] = [];
  const levels = new Map(quantityLevels.map((level) => [level, [] as OfficialScore[]]));
  for (const row of rows) {
    const id = pythonStr(row.get('sample_id')!);
    const place: Place = { row, where: `${files.predictions}, sample ${id}`, scoring };
    const answerScore = scoreRow(place, input);
    const isInt = metric !== 'rouge-l' || isEmptyAnswer(place);
    const score: OfficialScore = { value: answerScore.score, isInt };
    scores.push(score);
    levels.get(levelOf(place))!.push(score);
    sampleScores.push(
      pythonDict([
        ['id', id],
        ['score', roundedScore(score)],
      ]),
    );
    if (metric === 'accuracy') extracted.push(withExtracted(place, answerScore));
  }
  const score = meanScore(scores);
  return {
    metric,
    score,
    scores: scores.map(({ value }) => value),
    samples,
    summary: pythonDict([
      [metric === 'rouge-l' ? 'Rouge-L f' : 'Accuracy', pythonFloat(score)],
      ['image_quantity_level-Accuracy', byLevel(levels, meanOrZero)],
      ['image_quantity_level-Result', byLevel(levels, (own) => [sumScores(own), own.length])],
    ]),
    sampleScores,
    extracted: metric === 'accuracy' ? extracted : null,
  };
}

/** Means are floats; of no scores the script writes the int 0. */
function meanOrZero(scores: readonly OfficialScore[]): PythonValue {
  return scores.length === 0 ? 0 : pythonFloat(meanScore(scores));
}

/** The script gives an empty answer the int 0 without asking for ROUGE. */
function isEmptyAnswer(place: Place): boolean {
  return normaliseAnswer(textOf(place.row.get('pred_response'), 'pred_response', place)) === '';
}
