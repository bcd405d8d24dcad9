import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type PythonValue, parsePythonJson, pythonNumberSource } from '../../src/milebench/python-json.js';

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

  test.each(['{', '[1.0', '[01.5]', '[1.]', '[.5]', '[1e]', '[--1]', '"abc', '[1.0,]'])(
    'refuses %s',
    (text) => {
      expect(() => parsePythonJson(text)).toThrow(SyntaxError);
    },
  );
});
