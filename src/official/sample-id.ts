import { stripText } from '../core/python-text.js';
import { numberOf, type PythonValue, pythonNumberSource } from '../core/python-value.js';

/** Python reads no longer integer out of a string. */
const mostDigits = 4300;

/** Python's `int(value)`; `null` where it raises. Digits outside ASCII, which Python would take, count as none. */
export function pythonInt(value: PythonValue): bigint | null {
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (typeof value === 'string') {
    const digits = stripText(value);
    const isInt = digits.length <= mostDigits && /^[+-]?\d+(?:_\d+)*$/.test(digits);
    return isInt ? signedInt(digits.replaceAll('_', '')) : null;
  }
  const source = value === null ? null : pythonNumberSource(value);
  if (source !== null && /^-?\d+$/.test(source)) return signedInt(source);
  const number = numberOf(value);
  return number !== null && Number.isFinite(number) ? BigInt(Math.trunc(number)) : null;
}

function signedInt(text: string): bigint {
  return text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text.replace('+', ''));
}

/** Key of an int in a dict. */
export function intKey(value: bigint): string {
  return `number ${value}`;
}

/**
 * Equal for the values that are one key of a Python dict: `1`, `1.0` and `True` are, `"1"` is another.
 * `null` for lists and dicts, which are no keys.
 */
export function dictKey(value: PythonValue): string | null {
  if (typeof value === 'string') return `text ${value}`;
  if (value === null) return 'none';
  const number = typeof value === 'boolean' ? Number(value) : numberOf(value);
  if (number === null) return null;
  const whole = Number.isFinite(number) && Number.isInteger(number) ? pythonInt(value) : null;
  return whole === null ? `number ${number}` : intKey(whole);
}
