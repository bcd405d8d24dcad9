/** Marks a number whose Python text JavaScript's numbers cannot give back. */
const pythonNumber: unique symbol = Symbol('python number');

/** A JSON number written with a fraction or an exponent, or an integer beyond 2^53: its source text. */
export interface PythonNumber {
  readonly [pythonNumber]: string;
}

/** A value as Python's `json.load` reads it. */
export type PythonValue =
  | string
  | number
  | boolean
  | null
  | PythonNumber
  | readonly PythonValue[]
  | { readonly [key: string]: PythonValue };

/** The source text of a marked number, `null` for every other value. */
export function pythonNumberSource(value: PythonValue): string | null {
  return typeof value === 'object' && value !== null && pythonNumber in value ? value[pythonNumber] : null;
}

/** Integers of up to this many digits are exact in float64. */
const exactDigits = 15;

function isNumberPart(code: number): boolean {
  return (
    (code >= 48 && code <= 57) || code === 43 || code === 45 || code === 46 || code === 69 || code === 101
  );
}

/**
 * Rewrites the numbers of a JSON text that must keep their source: `1.0` becomes `{"<key>":"1.0"}`.
 * Returns the text itself when it has none.
 */
function wrapNumbers(text: string, key: string): string {
  const pieces: string[] = [];
  let copied = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 34) {
      for (i++; i < text.length && text.charCodeAt(i) !== 34; i++) if (text.charCodeAt(i) === 92) i++;
    } else if (code === 45 || (code >= 48 && code <= 57)) {
      const start = i;
      while (i + 1 < text.length && isNumberPart(text.charCodeAt(i + 1))) i++;
      const source = text.slice(start, i + 1);
      if (/^-?\d+$/.test(source) && source.length <= exactDigits) continue;
      if (!/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(source)) continue;
      pieces.push(text.slice(copied, start), `{${key}:"${source}"}`);
      copied = i + 1;
    }
  }
  return copied === 0 ? text : pieces.join('') + text.slice(copied);
}

/**
 * Parses JSON so that every number can be printed as Python prints it: `1.0` and `1` stay different.
 * Throws a SyntaxError as JSON.parse does.
 */
export function parsePythonJson(text: string): unknown {
  let name = '#';
  while (text.includes(`"${name}"`)) name += '#';
  const wrapped = wrapNumbers(text, `"${name}"`);
  if (wrapped === text) return JSON.parse(text);
  return JSON.parse(wrapped, (_key, value: unknown) =>
    value !== null && typeof value === 'object' && Object.hasOwn(value, name)
      ? { [pythonNumber]: (value as Record<string, string>)[name] }
      : value,
  );
}
