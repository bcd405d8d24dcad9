import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { pythonRepr, pythonStr } from '../../src/core/python-format.js';
import { parsePythonJson } from '../../src/core/python-json.js';
import type { PythonValue } from '../../src/core/python-value.js';

const pythonValue = z.custom<PythonValue>((value) => value !== undefined);

function str(json: string): string {
  return pythonStr(pythonValue.parse(parsePythonJson(json)));
}

describe('Python’s text of a JSON value', () => {
  test.each([
    ['null', 'None'],
    ['true', 'True'],
    ['false', 'False'],
    ['7', '7'],
    ['-7', '-7'],
    ['-0', '0'],
    ['7.0', '7.0'],
    ['-0.0', '-0.0'],
    ['3.5', '3.5'],
    ['1e2', '100.0'],
    ['0.0001', '0.0001'],
    ['0.00001', '1e-05'],
    ['1.5e-7', '1.5e-07'],
    ['1e15', '1000000000000000.0'],
    ['1e16', '1e+16'],
    ['1.25e+22', '1.25e+22'],
    ['1e400', 'inf'],
    ['-1e400', '-inf'],
    ['9007199254740993', '9007199254740993'],
    ['123456789012345678901234567890', '123456789012345678901234567890'],
  ])('%s is %s', (json, text) => {
    expect(str(json)).toBe(text);
  });

  test('of a string is the string, inside a list its repr', () => {
    expect(str('"it\'s"')).toBe("it's");
    expect(str('["a", "it\'s", "\\"", "\'\\""]')).toBe(`['a', "it's", '"', '\\'"']`);
    expect(str('["\\n\\t\\r\\\\", "\\u0000\\u007f", "\\u200b", "é😀", "\\u00a0"]')).toBe(
      "['\\n\\t\\r\\\\', '\\x00\\x7f', '\\u200b', 'é😀', '\\xa0']",
    );
    expect(str('["\\udb40\\udc01", "\\ud800"]')).toBe("['\\U000e0001', '\\ud800']");
  });

  test('of nested values', () => {
    expect(str('{"a": [1, 1.0, null], "b": {"c": true}}')).toBe("{'a': [1, 1.0, None], 'b': {'c': True}}");
    expect(str('[]')).toBe('[]');
    expect(str('{}')).toBe('{}');
  });

  test('of a float reads back as the same float', () => {
    fc.assert(
      fc.property(
        fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
        (value) => {
          const text = str(value.toExponential());
          expect(text).toMatch(/[.e]/);
          expect(Number(text)).toBe(value);
        },
      ),
    );
  });

  test('of plain JavaScript numbers keeps whole numbers whole', () => {
    expect([pythonRepr(3), pythonRepr(-0), pythonRepr(0.5)]).toEqual(['3', '0', '0.5']);
  });
});
