import { stripText } from '../core/python-text.js';
import { normaliseAnswer } from './normalise-answer.js';

/** A choice and the letters it is known by. */
export interface LabelledChoice {
  readonly label: string;
  readonly text: string;
}

/** What normalisation leaves of the marks with a meaning in Python's regular expressions. */
const patternMarks = /[\\.^$*+?{}[\]|()]/g;

function escapePattern(text: string): string {
  return text.replace(patternMarks, '\\$&');
}

/**
 * The match of Python's `re.search('(a|b|c)', text)` for literal alternatives: leftmost first, then the first in order.
 * `null` when none occurs.
 */
function searchAlternatives(text: string, alternatives: readonly string[]): string | null {
  let best: string | null = null;
  let bestAt = Number.POSITIVE_INFINITY;
  for (const alternative of alternatives) {
    const at = text.indexOf(alternative);
    if (at !== -1 && at < bestAt) {
      best = alternative;
      bestAt = at;
    }
  }
  return best;
}

/**
 * Reads the chosen label out of a normalised answer: `A` to `Z`, or several letters, or nothing.
 * Source: MileBench `evaluate.py`, `Eval.match_choice`, its mistakes included:
 * an empty answer is `C`; an answer holding label and text of a choice gives the first letter of the label only, so
 * choices past `Z` read as `A` or `B`; a choice with a mark of regular expressions (`3.5`, `$5`) is found by its text
 * but compared in its escaped form, so it never counts; the last resort joins every letter of the answer that is a
 * label, so "the answer is c" reads as `AC`. Without choices the official code fails inside and returns the answer.
 */
export function matchChoice({
  text,
  choices,
}: {
  readonly text: string;
  readonly choices: readonly LabelledChoice[];
}): string {
  if (text === '') return 'C';
  if (choices.length === 0) return text;

  const labelled = choices.map((choice) => normaliseAnswer(`${choice.label} ${choice.text}`));
  const labelledMatch = searchAlternatives(text, labelled);
  if (labelledMatch === '') return text;
  if (labelledMatch !== null) return String.fromCodePoint(labelledMatch.codePointAt(0)!).toUpperCase();

  const bare = choices.map((choice) => normaliseAnswer(choice.text).replaceAll(' ', ''));
  const bareMatch = searchAlternatives(text.replaceAll(' ', ''), bare);
  if (bareMatch !== null) {
    const found = bare.findIndex((candidate) => stripText(bareMatch) === escapePattern(candidate));
    if (found !== -1) return choices[found]!.label.toUpperCase();
  }

  const labels = new Set(choices.map((choice) => choice.label));
  const letters = [...text];
  if (letters.length <= 2 && labels.has(text.toUpperCase())) return text.toUpperCase();
  return letters
    .map((letter) => letter.toUpperCase())
    .filter((letter) => labels.has(letter))
    .join('');
}
