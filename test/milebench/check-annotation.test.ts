import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parsePythonJson } from '../../src/core/python-json.js';
import { readAnnotation } from '../../src/milebench/annotation.js';
import { checkAnnotation } from '../../src/milebench/check/check-annotation.js';
import { ProblemList } from '../../src/milebench/check/problem-list.js';
import { officialSampleId } from '../../src/milebench/check/sample-id.js';
import { normaliseAnswer } from '../../src/scoring/normalise-answer.js';
import { draftDataset } from './tree-drafts.js';

/** Errors of an annotation of that text. */
function errorsOf(text: string): number {
  const list = new ProblemList();
  checkAnnotation(parsePythonJson(text), {
    dataset: 'TQA',
    source: { metric: 'accuracy', definedBy: 'taxonomy' },
    normaliseAnswer,
    report: list.of({ dataset: 'TQA', file: 'TQA/TQA.json' }),
  });
  return list.total().errors;
}

/** Whether the loader takes every sample. */
function isLoadable(text: string): boolean {
  try {
    return readAnnotation(parsePythonJson(text), 'TQA.json').failures.length === 0;
  } catch {
    return false;
  }
}

/** Every place of a value, as a path. */
function placesOf(value: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  const fields = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [path, ...fields.flatMap(([key, field]) => placesOf(field, [...path, key]))];
}

function withValueAt(whole: unknown, path: readonly (string | number)[], value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  const copy = structuredClone(whole) as Record<string | number, unknown>;
  copy[key] = withValueAt(copy[key], rest, value);
  return copy;
}

test('what the loader refuses has an error, whatever stands wherever', () => {
  const { annotation } = draftDataset('TQA', { samples: 2 });
  const places = placesOf(annotation);
  let refused = 0;
  fc.assert(
    fc.property(fc.constantFrom(...places), fc.option(fc.jsonValue({ maxDepth: 2 })), (place, value) => {
      const text = JSON.stringify(withValueAt(annotation, place, value ?? undefined)) ?? 'null';
      if (isLoadable(text)) return;
      refused++;
      expect(errorsOf(text), text).toBeGreaterThan(0);
    }),
    { numRuns: 1500 },
  );
  expect(refused).toBeGreaterThan(300);
  expect(errorsOf(JSON.stringify(annotation))).toBe(0);
});

describe("the official scorer's reading of an id", () => {
  test.each([
    [7, '7'],
    ['7', '7'],
    [' +007\n', '7'],
    ['-0', '0'],
    ['1_000', '1000'],
    ['123456789012345678901', '123456789012345678901'],
    ['\u0661\u0662', '\u0661\u0662'],
    ['1__0', null],
    ['1.0', null],
    ['_1', null],
    ['0x10', null],
    ['', null],
    ['a1', null],
  ])('of %j is %j', (id, expected) => {
    expect(officialSampleId(id)).toBe(expected);
  });
});
