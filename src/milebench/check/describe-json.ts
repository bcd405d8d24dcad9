import { type PythonValue, pythonNumberSource } from '../../core/python-value.js';

/** Longer texts are cut in messages. */
const shownCharacters = 40;

/** A value of an annotation as messages name it: `null`, `a list of length 2`, `the number 1.0`, `the text "a"`. */
export function describeJson(value: PythonValue): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return `the number ${value}`;
  if (typeof value === 'string') {
    if (value === '') return 'an empty text';
    const shown = value.length > shownCharacters ? `${value.slice(0, shownCharacters)}…` : value;
    return `the text ${JSON.stringify(shown)}`;
  }
  const source = pythonNumberSource(value);
  if (source !== null) return `the number ${source}`;
  return Array.isArray(value) ? `a list of length ${value.length}` : 'an object';
}
