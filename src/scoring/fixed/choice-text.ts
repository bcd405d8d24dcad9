import type { CompactText } from './compact-text.js';

export interface CompactChoice {
  readonly label: string;
  /** Its text as `compactText` gives it; empty for a choice of punctuation only, which is never found. */
  readonly compact: string;
}

/**
 * The choice an answer names by label and text ("B. Blue car") or else by text alone, the order of the official
 * search. Repairs two mistakes:
 *
 * - Escaped choices (`evaluate.py` lines 124-125 and 146): a choice holding a mark of regular expressions is found but
 *   compared in its escaped form, so `3.5` or `$5` never counts. Here texts are compared as they are.
 * - Substring choices (lines 137 and 144): `no` is found in "know", and `moved left` hides `moved left and up`. Here a
 *   choice begins and ends where words of the answer do, and of choices that begin at the same place the longest
 *   counts.
 *
 * Of several choices named the leftmost counts, as in the official search. Of choices that differ in spaces and
 * punctuation only, the first.
 */
export function findChoiceText(answer: CompactText, choices: readonly CompactChoice[]): CompactChoice | null {
  return findFirst(answer, choices, labelAndText) ?? findFirst(answer, choices, textAlone);
}

/** What to look for in an answer for a choice, and whether it may begin at a place. */
type Form = (choice: CompactChoice) => {
  readonly text: string;
  readonly beginsAt: (at: number, starts: CompactText['starts']) => boolean;
};

const labelAndText: Form = ({ label, compact }) => ({
  text: label.toLowerCase() + compact,
  beginsAt: (at, starts) => isLabel(starts.get(at), label, at) && starts.has(at + label.length),
});

/** In either case; but a small `a` within an answer is the article ("near a cat"). */
function isLabel(word: string | undefined, label: string, at: number): boolean {
  return word?.toUpperCase() === label && (word !== 'a' || at === 0);
}

const textAlone: Form = ({ compact }) => ({
  text: compact,
  beginsAt: (at, starts) => starts.has(at),
});

function findFirst(
  { compact, starts, ends }: CompactText,
  choices: readonly CompactChoice[],
  form: Form,
): CompactChoice | null {
  let best: CompactChoice | null = null;
  let bestAt = Number.POSITIVE_INFINITY;
  for (const choice of choices) {
    if (choice.compact === '') continue;
    const { text, beginsAt } = form(choice);
    let at = compact.indexOf(text);
    while (at !== -1 && !(beginsAt(at, starts) && ends.has(at + text.length)))
      at = compact.indexOf(text, at + 1);
    if (at === -1 || at > bestAt) continue;
    if (best !== null && at === bestAt && choice.compact.length <= best.compact.length) continue;
    best = choice;
    bestAt = at;
  }
  return best;
}
