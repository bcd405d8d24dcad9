import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parsePythonJson } from '../../src/core/python-json.js';
import { cutAnnotation } from '../../src/milebench/subset/cut-annotation.js';
import { cutColumns } from '../../src/milebench/subset/cut-columns.js';
import { documentSpan, entrySpans, memberSpan } from '../../src/milebench/subset/json-spans.js';

const layouts = fc.constantFrom(undefined, 1, 4, '\t');

describe('the source of a JSON value', () => {
  test('is found for every entry, however it is laid out', () => {
    fc.assert(
      fc.property(fc.jsonValue(), layouts, fc.constantFrom('', ' ', '\n\t '), (value, layout, space) => {
        const text = `${space}${JSON.stringify(value, null, layout)}${space}`;
        const span = documentSpan(text);
        expect(JSON.parse(text.slice(span.start, span.end))).toEqual(JSON.parse(text));
        if (typeof value !== 'object' || value === null) return;
        const found = entrySpans(text, span).map(({ key, value: { start, end } }) => [
          key,
          JSON.parse(text.slice(start, end)),
        ]);
        const expected = Array.isArray(value)
          ? value.map((element) => [null, JSON.parse(JSON.stringify(element))])
          : Object.entries(JSON.parse(text));
        expect(found).toEqual(expected);
      }),
    );
  });

  test('is that of the last of equal keys, as Python reads it', () => {
    const text = '{"a": 1, "\\u0061": [2], "b": 3}';
    const { start, end } = memberSpan(text, documentSpan(text), 'a')!;
    expect(text.slice(start, end)).toBe('[2]');
    expect(memberSpan(text, documentSpan(text), 'c')).toBeUndefined();
  });
});

describe('an annotation cut to some of its samples', () => {
  const text = `{
  "meta_data": {"num_sample": "3", "task_instruction": ["]},{"], "x": 1.0},
  "data": [
    {"b": 1.0, "a": 1e400, "2": "\\u00e9 é", "1": [1, {"c": "}"}]},
    {"sample_id":2},
    3
  ],
  "after": NaN
}
`;

  test('keeps every other character', () => {
    expect(cutAnnotation(text, [0, 2])).toBe(
      text.replace('"num_sample": "3"', '"num_sample": "2"').replace('{"sample_id":2},\n    ', ''),
    );
  });

  test('keeps all of the file when all samples are kept', () => {
    expect(cutAnnotation(text, [0, 1, 2])).toBe(text);
  });

  test('has the entries and the count asked for', () => {
    const annotations = fc.record({
      meta_data: fc.record({ num_sample: fc.nat(), other: fc.jsonValue() }, { requiredKeys: [] }),
      data: fc.array(fc.jsonValue(), { minLength: 1, maxLength: 8 }),
      more: fc.jsonValue(),
    });
    fc.assert(
      fc.property(annotations, layouts, fc.infiniteStream(fc.boolean()), (annotation, layout, coins) => {
        const positions = annotation.data.map((_, index) => index).filter(() => coins.next().value);
        fc.pre(positions.length > 0);
        const cut = parsePythonJson(cutAnnotation(JSON.stringify(annotation, null, layout), positions));
        const expected = structuredClone(annotation);
        expected.data = positions.map((position) => annotation.data[position]!);
        if (expected.meta_data.num_sample !== undefined) expected.meta_data.num_sample = positions.length;
        expect(cut).toEqual(parsePythonJson(JSON.stringify(expected)));
      }),
    );
  });
});

describe('a columns file cut to some datasets', () => {
  const text = '{\n "A": {"column": "T-1", "num_sample": 30, "w": 1.0},\n "B": {"metric": "needle"}\n}\n';

  test('keeps their fields as they are and counts anew', () => {
    const cut = cutColumns(text, [
      { name: 'A', samples: 4 },
      { name: 'TQA', samples: 1 },
    ]);
    expect(cut).toBe('{\n "A": {"column": "T-1", "num_sample": 4, "w": 1.0}\n}\n');
    expect(cutColumns(text, [{ name: 'B', samples: 4 }])).toBe('{\n "B": {"metric": "needle"}\n}\n');
  });

  test('is none when it defines none of them', () => {
    expect(cutColumns(text, [{ name: 'TQA', samples: 1 }])).toBeNull();
  });
});
