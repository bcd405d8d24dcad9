import { floatRepr } from './python-float.js';
import { dictEntries, isPythonDict, type PythonValue, pythonNumberSource } from './python-value.js';

function numberRepr(source: string): string {
  return /^-?\d+$/.test(source) ? source : floatRepr(Number(source));
}

const shortEscapes: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

/** What `str.isprintable` refuses: control, format, surrogate, private and unassigned characters, all spaces but ' '. */
const unprintable = /^(?! )[\p{C}\p{Z}]$/u;

function escapeCharacter(character: string, quote: string): string {
  if (character === quote) return `\\${character}`;
  const short = shortEscapes[character];
  if (short !== undefined) return short;
  if (!unprintable.test(character)) return character;
  const code = character.codePointAt(0)!;
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`;
  if (code < 0x10000) return `\\u${code.toString(16).padStart(4, '0')}`;
  return `\\U${code.toString(16).padStart(8, '0')}`;
}

function stringRepr(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  return quote + [...text].map((character) => escapeCharacter(character, quote)).join('') + quote;
}

/** Python's `repr(value)` of a value read from JSON. */
export function pythonRepr(value: PythonValue): string {
  if (value === null) return 'None';
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (typeof value === 'string') return stringRepr(value);
  if (typeof value === 'number') return Number.isInteger(value) ? String(value + 0) : floatRepr(value);
  if (isPythonDict(value)) {
    const fields = dictEntries(value).map(([key, field]) => `${stringRepr(key)}: ${pythonRepr(field)}`);
    return `{${fields.join(', ')}}`;
  }
  const source = pythonNumberSource(value);
  return source === null
    ? `[${(value as readonly PythonValue[]).map(pythonRepr).join(', ')}]`
    : numberRepr(source);
}

/** Python's `str(value)` and `f'{value}'` of a value read from JSON. */
export function pythonStr(value: PythonValue): string {
  return typeof value === 'string' ? value : pythonRepr(value);
}
