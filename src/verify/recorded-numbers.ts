import {
  dictEntries,
  isPythonDict,
  type PythonValue,
  pythonDict,
  pythonFloat,
} from '../core/python-value.js';

/** How the vectors write a number that JSON has no text for. */
const recordedNaN = 'NaN';

/** The value with every "NaN" in it turned into the number. Only for values whose leaves are all numbers. */
export function withNaN(value: PythonValue): PythonValue {
  if (value === recordedNaN) return pythonFloat(Number.NaN);
  if (Array.isArray(value)) return value.map(withNaN);
  if (!isPythonDict(value)) return value;
  return pythonDict(dictEntries(value).map(([key, field]) => [key, withNaN(field)] as const));
}
