/** Where a value stands in a JSON text: `text.slice(start, end)` is its source. The text has been parsed before. */
export interface JsonSpan {
  readonly start: number;
  readonly end: number;
}

const quote = 34;
const backslash = 92;

function isSpace(code: number): boolean {
  return code === 32 || code === 10 || code === 13 || code === 9;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (isSpace(text.charCodeAt(at))) at++;
  return at;
}

/** The end of the string that starts at `start`. */
function stringEnd(text: string, start: number): number {
  for (let at = start + 1; ; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) return at + 1;
    if (code === backslash) at++;
  }
}

/** The end of the value that starts at `start`. */
function valueEnd(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const mark = text[at]!;
    if (mark === '"') {
      at = stringEnd(text, at) - 1;
      if (depth === 0) return at + 1;
    } else if (mark === '{' || mark === '[') {
      depth++;
    } else if (mark === '}' || mark === ']') {
      if (depth === 0) return at;
      depth--;
      if (depth === 0) return at + 1;
    } else if (depth === 0 && (mark === ',' || isSpace(mark.charCodeAt(0)))) {
      return at;
    }
  }
  return text.length;
}

/** An element of a list, or a key and its value in an object. */
export interface JsonEntry {
  /** Where the key, or the element, begins. */
  readonly start: number;
  /** `null` in a list. */
  readonly key: string | null;
  readonly value: JsonSpan;
}

/** The entries of an object or a list in order. */
export function entrySpans(text: string, { start: containerStart }: JsonSpan): JsonEntry[] {
  const isObject = text[containerStart] === '{';
  const entries: JsonEntry[] = [];
  let start = skipSpace(text, containerStart + 1);
  while (text[start] !== '}' && text[start] !== ']') {
    const keyEnd = isObject ? stringEnd(text, start) : start;
    // Behind a key come a colon and the value.
    const from = isObject ? skipSpace(text, skipSpace(text, keyEnd) + 1) : start;
    const value = { start: from, end: valueEnd(text, from) };
    const key = isObject ? (JSON.parse(text.slice(start, keyEnd)) as string) : null;
    entries.push({ start, key, value });
    const next = skipSpace(text, value.end);
    start = text[next] === ',' ? skipSpace(text, next + 1) : next;
  }
  return entries;
}

/** The value the text as a whole holds. */
export function documentSpan(text: string): JsonSpan {
  const start = skipSpace(text, 0);
  return { start, end: valueEnd(text, start) };
}

/** The value of a key in an object, of equal keys the last, as in Python and JavaScript; `undefined` when it has none. */
export function memberSpan(text: string, object: JsonSpan, key: string): JsonSpan | undefined {
  return entrySpans(text, object).findLast((entry) => entry.key === key)?.value;
}
