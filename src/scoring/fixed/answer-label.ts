import { stripText } from '../../core/python-text.js';
import type { ChoiceLabels } from './choice-labels.js';

/** Marks that may stand around a label: brackets, quotation marks, emphasis, the ends of clauses. */
const marksAround: ReadonlySet<string> = new Set('()[]{}<>"\'“”‘’«»*_`.,;:=!?');
const marksAndSpaces: ReadonlySet<string> = new Set([...marksAround, ' ', '\t', '\n', '\r']);

/** Words before a label that say it is one. */
const announcing: ReadonlySet<string> = new Set(['option', 'choice']);

/** Words that follow a label but neither the article `a` nor, as a rule, the pronoun `I`. */
const afterLabel: ReadonlySet<string> = new Set(['is', 'and', 'or', 'nor', 'but', 'because', 'since', 'as']);

const capitals = /^[A-Z]+$/;
const smallLetter = /^[a-z]$/;
const articleOrPronoun = /^[AI]$/i;
const denial = /^not$|n['’]t$/i;
const letterOrDigit = /^[\p{L}\p{N}]/u;
const startsSmall = /^\p{Ll}/u;

interface Word {
  /** Without the marks around it. */
  readonly core: string;
  /** Whether a mark follows it. */
  readonly marked: boolean;
}

/** The label an answer consists of: bare, or as the prompt shows it, or among marks ("(b)."). */
export function labelOfWholeAnswer(answer: string, { forms }: ChoiceLabels): string | null {
  const written = stripText(answer);
  const core = stripText(written, marksAndSpaces);
  const known = [written, written.replace(/\.$/, ''), core, core.toUpperCase()].find((form) =>
    forms.has(form),
  );
  return known === undefined ? null : forms.get(known)!;
}

/**
 * The one label that stands in an answer as a word of its own.
 * Repairs letter joining (`evaluate.py` line 158), which strings together every letter of the answer that is a label:
 * "the answer is c" reads as `AC`, "maybe" as `AB`. Here
 *
 * - a label is a word between white space, `:` or `=`, apart from the marks around it: not a letter of a word, nor of
 *   `e.g.`, `it's`, `x-ray` or `A/B`;
 * - labels in capitals count first; only an answer without any is searched for single small letters;
 * - `A` and `I` are English words too, see `isLabelNotWord`;
 * - a label right after `not` is denied and does not count ("B, not A");
 * - one label, however often it is written, is the answer; several are none.
 */
export function findAnswerLabel(answer: string, { forms }: ChoiceLabels): string | null {
  const lines = answer.split(/[\n\r]+/).map(wordsOf);
  for (const spelling of [capitals, smallLetter]) {
    const found = new Set<string>();
    for (const words of lines) {
      for (const [index, { core }] of words.entries()) {
        const label = spelling.test(core) ? forms.get(core) : undefined;
        if (label === undefined || isDenied(words, index)) continue;
        if (articleOrPronoun.test(core) && !isLabelNotWord({ words, index, spelling, forms })) continue;
        found.add(label);
      }
    }
    if (found.size > 0) return found.size === 1 ? [...found][0]! : null;
  }
  return null;
}

/** The words of a line; `:` and `=` end one as white space does. */
function wordsOf(line: string): Word[] {
  return (line.match(/[^\s:=]+[:=]*|[:=]+/gu) ?? []).map((chunk) => {
    const core = stripText(chunk, marksAround);
    return { core, marked: !chunk.endsWith(core) || core === '' };
  });
}

function isDenied(words: readonly Word[], index: number): boolean {
  const isAnnounced = announcing.has(words[index - 1]?.core.toLowerCase() ?? '');
  const before = words[index - (isAnnounced ? 2 : 1)];
  return before !== undefined && !before.marked && denial.test(before.core);
}

/**
 * Whether an `A` or `I` is a label, not the article or the pronoun. It is when no word follows it on its line or a mark
 * comes between, when what follows is another label or a word like "is", which no article stands before, and when
 * "option" or "choice" precedes. So is a capital `A` after a word in small letters, where an article would be small too.
 */
function isLabelNotWord({
  words,
  index,
  spelling,
  forms,
}: {
  readonly words: readonly Word[];
  readonly index: number;
  readonly spelling: RegExp;
  readonly forms: ReadonlyMap<string, string>;
}): boolean {
  const { core, marked } = words[index]!;
  const previous = words[index - 1];
  const next = words[index + 1]?.core ?? '';
  if (marked || !letterOrDigit.test(next) || afterLabel.has(next.toLowerCase())) return true;
  if (spelling.test(next) && forms.has(next)) return true;
  if (previous === undefined || previous.marked) return false;
  return announcing.has(previous.core.toLowerCase()) || (core === 'A' && startsSmall.test(previous.core));
}
