import { matchChoice } from './match-choice.js';
import type { AnswerScore, ScoreInput } from './metric.js';
import { normaliseAnswer } from './normalise-answer.js';
import { findReferenceChoice } from './reference-choice.js';

const alphabet = 26;
const codeOfA = 65;

/** The label of a choice in scoring: `A` to `Z`, `AA` to `AZ`, then `B` and whatever follows `A` + 52. */
export function choiceLabel(index: number): string {
  if (index < alphabet) return String.fromCodePoint(codeOfA + index);
  if (index < 2 * alphabet) return `A${String.fromCodePoint(codeOfA + index - alphabet)}`;
  return `B${String.fromCodePoint(codeOfA + index - 2 * alphabet)}`;
}

/**
 * Accuracy of a multiple-choice answer under `release`: 1 when the label read out of it is the reference's, else 0.
 * Source: MileBench `evaluate.py`, `process_sample` and `judge_multi_choice`.
 * Throws a `UserError` when there are no choices or the reference is none of them.
 */
export function scoreMultiChoice({ answer, ...sample }: ScoreInput): AnswerScore {
  const { choices, correct } = findReferenceChoice(sample);
  const labelled = choices.map((text, index) => ({ label: choiceLabel(index), text }));
  const extracted = matchChoice({ text: normaliseAnswer(answer), choices: labelled });
  return { score: extracted === choiceLabel(correct) ? 1 : 0, extracted };
}
