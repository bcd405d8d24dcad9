import { UserError } from '../core/errors.js';
import { matchChoice } from './match-choice.js';
import type { AnswerScore, ScoreInput } from './metric.js';
import { normaliseAnswer } from './normalise-answer.js';

const alphabet = 26;
const codeOfA = 65;

/** The label of a choice in scoring: `A` to `Z`, `AA` to `AZ`, then `B` and whatever follows `A` + 52. */
export function choiceLabel(index: number): string {
  if (index < alphabet) return String.fromCodePoint(codeOfA + index);
  if (index < 2 * alphabet) return `A${String.fromCodePoint(codeOfA + index - alphabet)}`;
  return `B${String.fromCodePoint(codeOfA + index - 2 * alphabet)}`;
}

/**
 * Accuracy of a multiple-choice answer: 1 when the label read out of it is the reference's, else 0.
 * Of choices that are equal once normalised the first counts as the reference.
 * Source: MileBench `evaluate.py`, `process_sample` and `judge_multi_choice`.
 * Throws a `UserError` when there are no choices or the reference is none of them (the official script stops there).
 */
export function scoreMultiChoice({ answer, response, choices }: ScoreInput): AnswerScore {
  if (choices === null) {
    throw new UserError({
      what: 'the metric accuracy needs choices and the sample has none',
      where: 'choice_list',
      fix: 'add choice_list to the annotation or score the dataset by rouge-l or needle',
    });
  }
  const labelled = choices.map((choice, index) => ({
    label: choiceLabel(index),
    text: normaliseAnswer(choice),
  }));
  const reference = normaliseAnswer(response);
  const correct = labelled.find((choice) => choice.text === reference);
  if (correct === undefined) {
    throw new UserError({
      what: `the reference answer ${JSON.stringify(response)} is none of the ${choices.length} choices`,
      where: 'response',
      fix: 'write the text of one entry of choice_list',
    });
  }
  const extracted = matchChoice({ text: normaliseAnswer(answer), choices: labelled });
  return { score: extracted === correct.label ? 1 : 0, extracted };
}
