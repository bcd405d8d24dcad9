import { type PythonValue, pythonNumberSource } from './python-json.js';

/** `repr` of a float: shortest digits that read back, positional for exponents in [-4, 16). */
function floatRepr(value: number): string {
  if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf';
  const [mantissa, exponentText] = value.toExponential().split('e') as [string, string];
  const exponent = Number(exponentText);
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const digits = mantissa.replace(/[-.]/g, '');
  if (exponent < -4 || exponent >= 16) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
    const size = String(Math.abs(exponent)).padStart(2, '0');
    return `${sign}${digits[0]}${fraction}e${exponent < 0 ? '-' : '+'}${size}`;
  }
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  return `${sign}${whole}.${digits.slice(exponent + 1) || '0'}`;
}

function numberRepr(source: string): string {
  if (/[.eE]/.test(source)) return floatRepr(Number(source));
  return source === '-0' ? '0' : source;
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
  if (Array.isArray(value)) return `[${value.map(pythonRepr).join(', ')}]`;
  const source = pythonNumberSource(value);
  if (source !== null) return numberRepr(source);
  const fields = Object.entries(value as Readonly<Record<string, PythonValue>>);
  return `{${fields.map(([key, field]) => `${stringRepr(key)}: ${pythonRepr(field)}`).join(', ')}}`;
}

/** Python's `str(value)` and `f'{value}'` of a value read from JSON. */
export function pythonStr(value: PythonValue): string {
  return typeof value === 'string' ? value : pythonRepr(value);
}
