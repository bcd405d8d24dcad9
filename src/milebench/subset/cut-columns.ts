import { editJson, replaceEntries, replaceSampleCount } from './edit-json.js';
import { documentSpan, entrySpans } from './json-spans.js';

/**
 * The columns file with only these datasets, otherwise as it is, character by character; a field `num_sample` of a
 * dataset becomes the new count. `null` when the file defines none of them. `text` has been read as a columns file.
 */
export function cutColumns(
  text: string,
  datasets: readonly { readonly name: string; readonly samples: number }[],
): string | null {
  const samples = new Map(datasets.map((dataset) => [dataset.name, dataset.samples]));
  const file = documentSpan(text);
  const kept = entrySpans(text, file).flatMap(({ start, key, value }) => {
    const count = key === null ? undefined : samples.get(key);
    if (count === undefined) return [];
    return [editJson(text, replaceSampleCount(text, value, count), { start, end: value.end })];
  });
  return kept.length === 0 ? null : editJson(text, [replaceEntries(text, file, kept)]);
}
