import { floatJson } from './python-float.js';
import { dictEntries, isPythonDict, type PythonValue, pythonNumberSource } from './python-value.js';

/** How `json.dump` is called. */
export interface PythonJsonStyle {
  /** Spaces a level; without it everything is on one line. */
  readonly indent?: number;
  /** `ensure_ascii`: everything beyond ASCII becomes `\uXXXX`. */
  readonly ascii: boolean;
}

/** DEL and everything beyond ASCII, in UTF-16 units as Python escapes them. */
const beyondAscii = /[\x7f-\uffff]/g;

/** JavaScript escapes lone surrogates itself; the other escapes of the two languages are the same. */
function quoted(text: string, ascii: boolean): string {
  const json = JSON.stringify(text);
  if (!ascii) return json;
  return json.replace(beyondAscii, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** A marked number's text: ints as they are, floats by their shortest digits. */
function formatNumber(source: string): string {
  return /^-?\d+$/.test(source) ? source : floatJson(Number(source));
}

function joined(
  parts: readonly string[],
  brackets: '[]' | '{}',
  { indent }: PythonJsonStyle,
  depth: number,
): string {
  const [open, close] = brackets;
  if (parts.length === 0) return `${open}${close}`;
  if (indent === undefined) return `${open}${parts.join(', ')}${close}`;
  const line = `\n${' '.repeat(indent * (depth + 1))}`;
  return `${open}${line}${parts.join(`,${line}`)}\n${' '.repeat(indent * depth)}${close}`;
}

function format(value: PythonValue, style: PythonJsonStyle, depth: number): string {
  if (typeof value === 'string') return quoted(value, style.ascii);
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : floatJson(value);
  if (value === null || typeof value === 'boolean') return String(value);
  if (isPythonDict(value)) {
    const parts = dictEntries(value).map(
      ([key, field]) => `${quoted(key, style.ascii)}: ${format(field, style, depth + 1)}`,
    );
    return joined(parts, '{}', style, depth);
  }
  const source = pythonNumberSource(value);
  if (source !== null) return formatNumber(source);
  const parts = (value as readonly PythonValue[]).map((item) => format(item, style, depth + 1));
  return joined(parts, '[]', style, depth);
}

/** The text that Python's `json.dump(value, file, indent=…, ensure_ascii=…)` writes. */
export function formatPythonJson(value: PythonValue, style: PythonJsonStyle): string {
  return format(value, style, 0);
}
