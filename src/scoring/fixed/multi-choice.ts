import type { AnswerScore, ScoreInput } from '../metric.js';
import { findReferenceChoice } from '../reference-choice.js';
import { uniqueLabel } from './choice-labels.js';
import { extractChoice } from './extract-choice.js';

/**
 * Accuracy of a multiple-choice answer under `fixed`: 1 when the label read out of it is the reference's, else 0.
 * Throws a `UserError` when there are no choices or the reference is none of them, as under `release`.
 */
export function scoreMultiChoiceFixed({ answer, datasetName, ...sample }: ScoreInput): AnswerScore {
  const { choices, correct } = findReferenceChoice(sample);
  const extracted = extractChoice({ answer, choices, datasetName });
  return { score: extracted === uniqueLabel(correct) ? 1 : 0, extracted };
}
