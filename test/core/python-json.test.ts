import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { parsePythonJson } from '../../src/core/python-json.js';
import {
  dictEntries,
  isPythonDict,
  type PythonDict,
  type PythonValue,
  pythonNumberSource,
} from '../../src/core/python-value.js';

function dictOf(text: string): PythonDict {
  const value = parsePythonJson(text);
  if (!isPythonDict(value)) throw new Error('no dict');
  return value;
}

const pythonValue = z.custom<PythonValue>((value) => value !== undefined);

describe('JSON read as Python reads it', () => {
  test('equals JSON.parse where no number needs its source', () => {
    const plain = fc
      .jsonValue({ noUnicodeString: false })
      .filter((value) => !/[.eE]|\d{15}/.test(JSON.stringify(value)));
    fc.assert(
      fc.property(plain, (value) => {
        const text = JSON.stringify(value, null, 1);
        expect(parsePythonJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  test('keeps the source of floats and of large integers', () => {
    const parsed = z.array(pythonValue).parse(parsePythonJson('[1.0, 1e3, -2.50, 12345678901234567890, 12]'));
    expect(parsed.map(pythonNumberSource)).toEqual(['1.0', '1e3', '-2.50', '12345678901234567890', null]);
    expect(parsed[4]).toBe(12);
  });

  test('leaves numbers in strings and keys alone', () => {
    const text = '{"1.0": "a 2.5 \\" 3.5", "#": {"##": 1.5}}';
    const parsed = z.record(z.string(), pythonValue).parse(parsePythonJson(text));
    expect(Object.keys(parsed)).toEqual(['1.0', '#']);
    expect(parsed['1.0']).toBe('a 2.5 " 3.5');
    const inner = z.record(z.string(), pythonValue).parse(parsed['#']);
    expect(pythonNumberSource(inner['##']!)).toBe('1.5');
  });

  test('reads NaN and both infinities as numbers', () => {
    const parsed = z.array(pythonValue).parse(parsePythonJson('[NaN, Infinity, -Infinity]'));
    expect(parsed.map(pythonNumberSource)).toEqual(['NaN', 'Infinity', '-Infinity']);
  });

  test('keeps the order of keys, also of those that JavaScript sorts', () => {
    const dict = dictOf('{"b": 1, "2": 2, "__proto__": 3, "1": 4, "constructor": 5, "b": 6}');
    expect(dictEntries(dict)).toEqual([
      ['b', 6],
      ['2', 2],
      ['__proto__', 3],
      ['1', 4],
      ['constructor', 5],
    ]);
    expect(Object.getPrototypeOf(dict)).toBe(Object.prototype);
  });

  test('names line and column of what is wrong', () => {
    expect(() => parsePythonJson('{"a": 1,\n "b" 2}')).toThrow('"2" instead of ":" at line 2, column 6');
    expect(() => parsePythonJson('[1] x')).toThrow('text after the end of the value at line 1, column 5');
    expect(() => parsePythonJson('"a\nb"')).toThrow(
      'a string with a control character or a broken escape at line 1, column 1',
    );
    expect(() => parsePythonJson('\ufeff{}')).toThrow('instead of a value at line 1, column 1');
  });

  test('gives up on nesting and on integers that Python refuses', () => {
    expect(() => parsePythonJson('['.repeat(100_000))).toThrow('nested deeper than 1000');
    expect(() => parsePythonJson('7'.repeat(4301))).toThrow('an integer of over 4300 digits');
    expect(pythonNumberSource(pythonValue.parse(parsePythonJson('7'.repeat(4300))))).toHaveLength(4300);
  });

  test.each(['{', '[1.0', '[01.5]', '[1.]', '[.5]', '[1e]', '[--1]', '"abc', '[1.0,]'])(
    'refuses %s',
    (text) => {
      expect(() => parsePythonJson(text)).toThrow(SyntaxError);
    },
  );
});
