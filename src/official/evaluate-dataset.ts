import { z } from 'zod';
import { UserError } from '../core/errors.js';
import { officialMetric } from '../milebench/taxonomy.js';
import { type Evaluation, evaluatePredictions } from './evaluate-predictions.js';
import type { EvaluationInput } from './pair-predictions.js';
import { readFields } from './read-fields.js';

const annotationSchema = z.object({ meta_data: z.object({ question_type: z.string() }) });

/**
 * Scores one dataset as `main` of `evaluate.py` does: the metric goes by the dataset's name, then by the annotation's
 * question type.
 * Throws a `UserError` for a question type the script refuses, for no predictions, and as `evaluatePredictions` does.
 */
export function evaluateDataset(input: Omit<EvaluationInput, 'metric'>): Evaluation {
  const { annotation, predictions, files, datasetName } = input;
  const { question_type: questionType } = readFields(annotationSchema, {
    value: annotation,
    where: files.annotation,
    fix: 'give an annotation of MileBench',
  }).meta_data;
  const metric = officialMetric({ dataset: datasetName, questionType });
  if (metric === null) {
    throw new UserError({
      what: `the official script does not score the question type ${JSON.stringify(questionType)}`,
      where: `${files.annotation}, field meta_data.question_type`,
      fix: 'write open-ended or multi-choice',
    });
  }
  if (Array.isArray(predictions) && predictions.length === 0) {
    const fix = 'predict the samples first';
    throw new UserError({ what: 'holds no prediction', where: files.predictions, fix });
  }
  return evaluatePredictions({ ...input, metric });
}
