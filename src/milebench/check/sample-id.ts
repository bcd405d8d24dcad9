import { stripText } from '../../core/python-text.js';

/** What Python's `int(text)` accepts in base 10: white space around, a sign, digits of any script, single underscores. */
const pythonInteger = /^[+-]?\p{Nd}+(?:_\p{Nd}+)*$/u;

/**
 * The id as the official scorer compares it, `int(sample_id)`: "007", "+7" and 7 are the same.
 * `null` for an id `int` refuses. Source: MileBench `evaluate.py`, e.g. `evaluate_rouge`.
 */
export function officialSampleId(id: number | string): string | null {
  if (typeof id === 'number') return String(id);
  const text = stripText(id);
  if (!pythonInteger.test(text)) return null;
  const plain = text.replaceAll('_', '').replace(/^\+/, '');
  return /^-?[0-9]+$/.test(plain) ? String(BigInt(plain)) : plain;
}
