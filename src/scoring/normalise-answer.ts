import { stripText } from '../core/python-text.js';

/** The marks `processPunctuation` deletes or turns into spaces, in its order. */
export const punctuationMarks: readonly string[] = [...';/[]"{}()=+\\_-><@`,?!'];

const apostrophe: ReadonlySet<string> = new Set("'");
const quotationMark: ReadonlySet<string> = new Set('"');

/** A comma between two decimal digits of any script; one anywhere in a text deletes every mark of it. */
const digitCommaDigit = /\p{Nd},\p{Nd}/u;

/** A period no decimal digit follows. The lookbehind of the official pattern, written `(?!<=\d)`, never holds one back. */
const loosePeriod = /\.(?!\p{Nd})/gu;

/** The official call passes `re.UNICODE` where `count` belongs, so only this many periods are deleted. */
const mostPeriodsDeleted = 32;

/**
 * Deletes a mark that touches a space anywhere in the text, turns the others into spaces, and deletes periods.
 * Source: MileBench `evaluate.py`, `Eval.processPunctuation`, its mistakes included.
 */
export function normalisePunctuation(text: string): string {
  const deleteAll = digitCommaDigit.test(text);
  let result = text;
  for (const mark of punctuationMarks) {
    const touchesSpace = text.includes(`${mark} `) || text.includes(` ${mark}`);
    result = result.replaceAll(mark, deleteAll || touchesSpace ? '' : ' ');
  }
  let periods = 0;
  return result.replace(loosePeriod, (period) => (periods++ < mostPeriodsDeleted ? '' : period));
}

/**
 * The form in which answers, reference answers and choices are compared.
 * Source: MileBench `evaluate.py`, `Eval.process`.
 */
export function normaliseAnswer(text: string): string {
  const unpunctuated = normalisePunctuation(stripText(text.replace(/[\n\t]/g, ' ')));
  const unquoted = stripText(stripText(unpunctuated, apostrophe), quotationMark);
  return stripText(unquoted).toLowerCase();
}
