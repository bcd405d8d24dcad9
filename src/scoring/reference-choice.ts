import { UserError } from '../core/errors.js';
import type { ScoreInput } from './metric.js';
import { normaliseAnswer } from './normalise-answer.js';

export interface ReferenceChoice {
  /** The normalised choices, in the order of the annotation. */
  readonly choices: readonly string[];
  /** Index of the choice that is the reference; of choices equal once normalised, the first. */
  readonly correct: number;
}

/**
 * Which choice is the reference.
 * Source: MileBench `evaluate.py`, `process_sample` and `judge_multi_choice`.
 * Throws a `UserError` when there are no choices or the reference is none of them (the official script stops there).
 */
export function findReferenceChoice({
  response,
  choices,
}: Pick<ScoreInput, 'response' | 'choices'>): ReferenceChoice {
  if (choices === null) {
    throw new UserError({
      what: 'the metric accuracy needs choices and the sample has none',
      where: 'choice_list',
      fix: 'add choice_list to the annotation or score the dataset by rouge-l or needle',
    });
  }
  const normalised = choices.map(normaliseAnswer);
  const correct = normalised.indexOf(normaliseAnswer(response));
  if (correct === -1) {
    throw new UserError({
      what: `the reference answer ${JSON.stringify(response)} is none of the ${choices.length} choices`,
      where: 'response',
      fix: 'write the text of one entry of choice_list',
    });
  }
  return { choices: normalised, correct };
}
