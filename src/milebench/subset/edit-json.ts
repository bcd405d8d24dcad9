import { invariant } from '../../core/errors.js';
import { entrySpans, type JsonSpan, memberSpan } from './json-spans.js';

/** A piece of a text and what stands in its place. */
export interface JsonEdit extends JsonSpan {
  readonly text: string;
}

/** Puts pieces of source in the place of all entries of a list or an object, laid out as those were. */
export function replaceEntries(text: string, container: JsonSpan, pieces: readonly string[]): JsonEdit {
  const entries = entrySpans(text, container);
  const [first, second] = entries;
  const last = entries.at(-1);
  invariant(first !== undefined && last !== undefined, 'there is an entry whose place others can take');
  const between = second === undefined ? ',' : text.slice(first.value.end, second.start);
  return { start: first.start, end: last.value.end, text: pieces.join(between) };
}

/** Sets the field `num_sample` of an object, where it has one; a text stays a text. */
export function replaceSampleCount(text: string, object: JsonSpan, samples: number): JsonEdit[] {
  const count = memberSpan(text, object, 'num_sample');
  if (count === undefined) return [];
  return [{ ...count, text: text[count.start] === '"' ? `"${samples}"` : String(samples) }];
}

/** The text, or a part of it, with the edits made. They do not overlap. */
export function editJson(
  text: string,
  edits: readonly JsonEdit[],
  { start, end }: JsonSpan = { start: 0, end: text.length },
): string {
  const pieces: string[] = [];
  let copied = start;
  for (const edit of [...edits].sort((a, b) => a.start - b.start)) {
    pieces.push(text.slice(copied, edit.start), edit.text);
    copied = edit.end;
  }
  return pieces.join('') + text.slice(copied, end);
}
