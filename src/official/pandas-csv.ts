import { floatRepr } from '../core/python-float.js';
import { pythonStr } from '../core/python-format.js';
import { dictKeys, isPythonInt, numberOf, type PythonDict, type PythonValue } from '../core/python-value.js';

/** A field as Python's `csv` writes it: quoted only when it has to be. */
function csvField(text: string): string {
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A column's texts: one missing or fractional number makes floats of all; missing ones and NaN are empty. */
function columnTexts(values: readonly (PythonValue | undefined)[]): string[] {
  const allInts = values.every((value) => value !== undefined && isPythonInt(value));
  return values.map((value) => {
    if (value === undefined) return '';
    const number = numberOf(value);
    if (number === null || allInts) return pythonStr(value);
    return Number.isNaN(number) ? '' : floatRepr(number);
  });
}

/**
 * What `pandas.DataFrame(rows).to_csv(index=False)` writes for rows of text and numbers: columns in the order in which
 * they first appear.
 */
export function pandasCsv(rows: readonly PythonDict[]): string {
  const names = [...new Set(rows.flatMap(dictKeys))];
  const columns = names.map((name) =>
    columnTexts(rows.map((row) => (Object.hasOwn(row, name) ? row[name] : undefined))),
  );
  const lines = rows.map((_, index) => columns.map((texts) => texts[index]!));
  return [names, ...lines].map((line) => `${line.map(csvField).join(',')}\n`).join('');
}
