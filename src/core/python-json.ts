import { markNumber, type PythonValue, pythonDict } from './python-value.js';

/** Integers of up to this many digits are exact in float64. */
const exactDigits = 15;

/** Python converts no longer integer (`sys.int_info.default_max_str_digits`). */
const mostDigits = 4300;

/** Python's parser gives up near its recursion limit of 1000. */
const mostDepth = 1000;

const numberPattern = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;

const words: Readonly<Record<string, PythonValue>> = Object.freeze({
  true: true,
  false: false,
  null: null,
  NaN: markNumber('NaN'),
  Infinity: markNumber('Infinity'),
  '-Infinity': markNumber('-Infinity'),
});

const wordPattern = /true|false|null|NaN|-?Infinity/y;

const quote = 34;
const backslash = 92;
const firstPrintable = 32;

class Reader {
  #at = 0;

  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  document(): PythonValue {
    const value = this.#value(0);
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#problem('text after the end of the value');
    return value;
  }

  #problem(what: string): SyntaxError {
    const before = this.#text.slice(0, this.#at);
    const line = before.split('\n').length;
    return new SyntaxError(`${what} at line ${line}, column ${this.#at - before.lastIndexOf('\n')}`);
  }

  #unexpected(wanted: string): SyntaxError {
    const found = this.#text[this.#at];
    return this.#problem(
      found === undefined
        ? `the text ends where ${wanted} should follow`
        : `${JSON.stringify(found)} instead of ${wanted}`,
    );
  }

  #skipSpace(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return;
      this.#at++;
    }
  }

  /** Steps over a mark after white space; says whether it was there. */
  #accept(mark: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== mark) return false;
    this.#at++;
    return true;
  }

  #value(depth: number): PythonValue {
    this.#skipSpace();
    if (depth > mostDepth) throw this.#problem(`nested deeper than ${mostDepth}`);
    switch (this.#text[this.#at]) {
      case '"':
        return this.#string();
      case '{':
        return this.#dict(depth);
      case '[':
        return this.#list(depth);
      default:
        return this.#wordOrNumber();
    }
  }

  #wordOrNumber(): PythonValue {
    wordPattern.lastIndex = this.#at;
    const word = wordPattern.exec(this.#text)?.[0];
    if (word === undefined) return this.#number();
    this.#at += word.length;
    return words[word]!;
  }

  #number(): PythonValue {
    numberPattern.lastIndex = this.#at;
    const match = numberPattern.exec(this.#text);
    if (match === null) throw this.#unexpected('a value');
    const [source, fraction, exponent] = match;
    const isInt = fraction === undefined && exponent === undefined;
    if (isInt && source.length > mostDigits) throw this.#problem(`an integer of over ${mostDigits} digits`);
    this.#at += source.length;
    return isInt && source.length <= exactDigits ? Number(source) : markNumber(source);
  }

  #string(): string {
    const start = this.#at;
    const text = this.#text;
    let end = start + 1;
    let isPlain = true;
    for (; end < text.length; end++) {
      const code = text.charCodeAt(end);
      if (code === quote) break;
      if (code === backslash) end++;
      if (code === backslash || code < firstPrintable) isPlain = false;
    }
    if (end >= text.length) throw this.#problem('a string without end');
    this.#at = end + 1;
    if (isPlain) return text.slice(start + 1, end);
    try {
      return JSON.parse(text.slice(start, end + 1)) as string;
    } catch {
      this.#at = start;
      throw this.#problem('a string with a control character or a broken escape');
    }
  }

  #list(depth: number): readonly PythonValue[] {
    this.#at++;
    const items: PythonValue[] = [];
    if (this.#accept(']')) return items;
    do items.push(this.#value(depth + 1));
    while (this.#accept(','));
    if (!this.#accept(']')) throw this.#unexpected('"," or "]"');
    return items;
  }

  #dict(depth: number): PythonValue {
    this.#at++;
    const entries: [string, PythonValue][] = [];
    if (this.#accept('}')) return pythonDict(entries);
    do {
      this.#skipSpace();
      if (this.#text[this.#at] !== '"') throw this.#unexpected('a key in double quotes');
      const key = this.#string();
      if (!this.#accept(':')) throw this.#unexpected('":"');
      entries.push([key, this.#value(depth + 1)]);
    } while (this.#accept(','));
    if (!this.#accept('}')) throw this.#unexpected('"," or "}"');
    return pythonDict(entries);
  }
}

/**
 * Parses JSON as Python's `json.loads` does: `1.0` and `1` stay different, large integers keep their digits, keys keep
 * their order, NaN and Infinity are numbers.
 * Throws a SyntaxError that names line and column.
 */
export function parsePythonJson(text: string): PythonValue {
  return new Reader(text).document();
}
