import { floatJson } from './python-float.js';

/** Marks a number whose Python text JavaScript's numbers cannot give back. */
const pythonNumber: unique symbol = Symbol('python number');

/** A float, or an integer beyond 2^53: its text in Python's JSON. */
export interface PythonNumber {
  readonly [pythonNumber]: string;
}

/** A dict with string keys. Its keys in Python's order are `dictKeys`: JavaScript would sort `"2"` before `"b"`. */
export interface PythonDict {
  readonly [key: string]: PythonValue;
}

/** A value as Python's `json.load` reads it. A whole JavaScript number is an int. */
export type PythonValue =
  | string
  | number
  | boolean
  | null
  | PythonNumber
  | readonly PythonValue[]
  | PythonDict;

/** Keys in order, of the dicts whose own order JavaScript does not keep. */
const keyOrders = new WeakMap<object, readonly string[]>();

/** Keys that JavaScript takes for array indices and lists before all others. */
const indexLike = /^(?:0|[1-9]\d{0,9})$/;

/** The source text of a marked number, `null` for every other value. */
export function pythonNumberSource(value: PythonValue): string | null {
  return typeof value === 'object' && value !== null && pythonNumber in value ? value[pythonNumber] : null;
}

/** A number marked with the text Python's JSON has for it. */
export function markNumber(source: string): PythonNumber {
  return { [pythonNumber]: source };
}

/** A Python float, also where the number is whole. */
export function pythonFloat(value: number): PythonNumber {
  return markNumber(floatJson(value));
}

/** Whether the value is an int: a whole JavaScript number, or a marked one without fraction and exponent. */
export function isPythonInt(value: PythonValue): boolean {
  const source = pythonNumberSource(value);
  return source === null ? Number.isInteger(value) : /^-?\d+$/.test(source);
}

/** The float64 nearest to an int or float, `null` for every other value; a bool is none here. */
export function numberOf(value: PythonValue): number | null {
  if (typeof value === 'number') return value;
  const source = pythonNumberSource(value);
  return source === null ? null : Number(source);
}

export function isPythonDict(value: PythonValue): value is PythonDict {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && pythonNumberSource(value) === null
  );
}

/** A dict of these entries: of a key that comes twice the first place and the last value, as in Python. */
export function pythonDict(entries: Iterable<readonly [string, PythonValue]>): PythonDict {
  const dict: Record<string, PythonValue> = {};
  const keys: string[] = [];
  let sorted = false;
  for (const [key, value] of entries) {
    keys.push(key);
    if (indexLike.test(key)) sorted = true;
    if (key !== '__proto__') dict[key] = value;
    else Object.defineProperty(dict, key, { value, enumerable: true, configurable: true, writable: true });
  }
  if (sorted) keyOrders.set(dict, [...new Set(keys)]);
  return dict;
}

/** The keys in Python's order. */
export function dictKeys(dict: PythonDict): readonly string[] {
  return keyOrders.get(dict) ?? Object.keys(dict);
}

/** Keys and values in Python's order. */
export function dictEntries(dict: PythonDict): (readonly [string, PythonValue])[] {
  return dictKeys(dict).map((key) => [key, dict[key]!] as const);
}
