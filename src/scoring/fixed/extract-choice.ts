import { normaliseAnswer } from '../normalise-answer.js';
import { findAnswerLabel, labelOfWholeAnswer } from './answer-label.js';
import { type ChoiceLabels, choiceLabels } from './choice-labels.js';
import { findChoiceText } from './choice-text.js';
import { compactText } from './compact-text.js';

/**
 * The label of the choice an answer stands for, or `null`.
 * In this order, as in `Eval.match_choice`: the answer is a choice's text (once both are normalised); the answer is a
 * label; it holds a label with its text; it holds a text; it holds one label. Where the prompt shows no labels, only
 * an answer that is nothing but a label is read as one. Of choices that normalise alike the first counts.
 * The repairs are `uniqueLabel`, `findChoiceText`, `findAnswerLabel`, and here the empty answer (`evaluate.py` lines
 * 129-130), which reads as `C` there: an answer that normalisation leaves empty names nothing.
 */
export function extractChoice({
  answer,
  choices,
  datasetName,
}: {
  /** As the model wrote it. */
  readonly answer: string;
  /** Normalised. */
  readonly choices: readonly string[];
  readonly datasetName: string;
}): string | null {
  const known = choiceLabels({ count: choices.length, datasetName });
  return (
    textOfWholeAnswer(answer, choices, known) ??
    labelOfWholeAnswer(answer, known) ??
    search(answer, choices, known)
  );
}

function textOfWholeAnswer(answer: string, choices: readonly string[], known: ChoiceLabels): string | null {
  const normalised = normaliseAnswer(answer);
  return normalised === '' ? null : (known.labels[choices.indexOf(normalised)] ?? null);
}

function search(answer: string, choices: readonly string[], known: ChoiceLabels): string | null {
  const compactChoices = known.labels.map((label, index) => ({
    label,
    compact: compactText(choices[index]!).compact,
  }));
  const named = findChoiceText(compactText(answer), compactChoices);
  if (named !== null) return named.label;
  return known.shown ? findAnswerLabel(answer, known) : null;
}
