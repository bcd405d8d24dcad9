import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatPythonJson } from '../../src/core/format-python-json.js';
import { parsePythonJson } from '../../src/core/python-json.js';

const zero = (_: string, value: unknown) => (value === 0 ? 0 : value);

function dump(json: string): string {
  return formatPythonJson(parsePythonJson(json), { ascii: true });
}

/** Every expected text is the output of `json.dumps(json.loads(…))` of Python 3.11. */
describe('the text of json.dump', () => {
  test.each([
    [
      '[0.00001, 1E16, 1.0, -0.0, -0, 100, 1e400, NaN, -Infinity]',
      '[1e-05, 1e+16, 1.0, -0.0, 0, 100, Infinity, NaN, -Infinity]',
    ],
    [
      '[12345678901234567890, 0.10, 123456789012345678.0, 5e-324]',
      '[12345678901234567890, 0.1, 1.2345678901234568e+17, 5e-324]',
    ],
    ['{"10":1,"9":2,"__proto__":{"1":0},"a":3,"9":4}', '{"10": 1, "9": 4, "__proto__": {"1": 0}, "a": 3}'],
    [
      '["é", "\u007f", "\u2028", "😀", "\\ud800", "\\udc00\\ud83d", "\\/"]',
      '["\\u00e9", "\\u007f", "\\u2028", "\\ud83d\\ude00", "\\ud800", "\\udc00\\ud83d", "/"]',
    ],
    ['["\\u0000\\u001f\\b\\f\\n\\r\\t\\"\\\\"]', '["\\u0000\\u001f\\b\\f\\n\\r\\t\\"\\\\"]'],
    ['[[], {}, [null, true, false]]', '[[], {}, [null, true, false]]'],
  ])('of %s', (json, text) => {
    expect(dump(json)).toBe(text);
  });

  test('indents by levels and leaves empty lists and dicts on their line', () => {
    const value = parsePythonJson('{"a": [1, {"b": []}], "c": {}, "d": "é"}');
    const lines = [
      '{',
      '    "a": [',
      '        1,',
      '        {',
      '            "b": []',
      '        }',
      '    ],',
      '    "c": {},',
    ];
    expect(formatPythonJson(value, { indent: 4, ascii: false })).toBe(
      [...lines, '    "d": "é"', '}'].join('\n'),
    );
    expect(formatPythonJson(value, { indent: 4, ascii: true })).toContain('"d": "\\u00e9"');
  });

  test('is read back as what it was', () => {
    fc.assert(
      fc.property(fc.json(), fc.boolean(), (json, ascii) => {
        const text = formatPythonJson(parsePythonJson(json), { ascii });
        expect(formatPythonJson(parsePythonJson(text), { ascii })).toBe(text);
        // The int -0 is 0 in Python.
        expect(JSON.parse(text, zero)).toEqual(JSON.parse(json, zero));
      }),
    );
  });
});
