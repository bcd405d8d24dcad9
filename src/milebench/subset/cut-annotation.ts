import { invariant } from '../../core/errors.js';
import { editJson, replaceEntries, replaceSampleCount } from './edit-json.js';
import { documentSpan, entrySpans, memberSpan } from './json-spans.js';

/**
 * The annotation with only the entries of `data` at these positions, in their order. Every kept entry, the rest of the
 * file and its layout stay as they are, character by character; only `meta_data.num_sample`, if there is one, becomes
 * the new count. `text` is an annotation that has been read; `positions` are at least one.
 */
export function cutAnnotation(text: string, positions: readonly number[]): string {
  const file = documentSpan(text);
  const data = memberSpan(text, file, 'data');
  const metadata = memberSpan(text, file, 'meta_data');
  invariant(data !== undefined && metadata !== undefined, 'a subset is cut from an annotation that was read');
  const entries = entrySpans(text, data);
  const kept = positions.map((position) => {
    const entry = entries[position];
    invariant(entry !== undefined, 'a subset keeps entries that are there');
    return text.slice(entry.start, entry.value.end);
  });
  return editJson(text, [
    replaceEntries(text, data, kept),
    ...replaceSampleCount(text, metadata, positions.length),
  ]);
}
