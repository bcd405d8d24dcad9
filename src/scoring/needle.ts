import { splitWords } from '../core/python-text.js';
import type { AnswerScore, ScoreInput } from './metric.js';
import { normaliseAnswer } from './normalise-answer.js';

/**
 * 1 when the answer contains the reference, else 0.
 * The reference must be one whole word of the answer, so a reference of several words never matches; only for MMCoQA
 * any part of the answer will do, so there an empty reference always matches.
 * Source: MileBench `evaluate.py`, `evaluate_needle` with `needle = 'NeedleInAHaystack' in dataset`. Custom datasets
 * scored by this metric follow the rule of whole words.
 * `release` and `fixed` share it: that a needle is one word is how the official script defines the task, not a mistake
 * in carrying the definition out.
 */
export function scoreNeedle({ datasetName, answer, response }: ScoreInput): AnswerScore {
  const reference = normaliseAnswer(response);
  const written = normaliseAnswer(answer);
  const anywhere = datasetName.includes('MMCoQA') && !datasetName.includes('NeedleInAHaystack');
  const found = anywhere ? written.includes(reference) : splitWords(written).includes(reference);
  return { score: found ? 1 : 0, extracted: null };
}
