import { describe, expect, test } from 'vitest';
import { formatPythonJson } from '../../src/core/format-python-json.js';
import { parsePythonJson } from '../../src/core/python-json.js';
import { isPythonDict, type PythonDict } from '../../src/core/python-value.js';
import { officialDatasets } from '../../src/milebench/taxonomy.js';
import { collectedDatasets, collectResults, resultRows } from '../../src/official/collect-results.js';
import { columnMeans } from '../../src/official/column-means.js';
import { pandasCsv } from '../../src/official/pandas-csv.js';

function dict(text: string): PythonDict {
  const value = parsePythonJson(text);
  if (!isPythonDict(value)) throw new Error('no dict');
  return value;
}

function csv(models: Readonly<Record<string, Readonly<Record<string, string>>>>): string {
  const summaries = Object.entries(models).map(
    ([model, datasets]) =>
      [model, new Map(Object.entries(datasets).map(([name, text]) => [name, dict(text)]))] as const,
  );
  return pandasCsv(resultRows(new Map(summaries)));
}

describe('result.json', () => {
  test('names the 29 datasets of MileBench once, in three groups', () => {
    const names = Object.values(collectedDatasets).flat();
    expect([...names].sort()).toEqual(Object.keys(officialDatasets).sort());
  });

  test('keeps what eval.json holds and leaves the others empty', () => {
    const models = new Map([['m', new Map([['TQA', dict('{"Accuracy": 1e-5, "é": NaN}')]])]]);
    const text = formatPythonJson(collectResults(models), { ascii: false });
    expect(text).toContain('"TQA": {"Accuracy": 1e-05, "é": NaN}, "WebQA": {}');
    expect(text.match(/\{\}/g)).toHaveLength(28);
  });
});

describe('result.csv', () => {
  test('orders columns by first appearance: those of a later model that are new come last', () => {
    expect(
      csv({
        a: { GPR1200: '{"Accuracy": 0.5}' },
        b: { ALFRED: '{"Rouge-L f": 0.12345}', GPR1200: '{"Accuracy": 1.0}' },
      }),
    ).toBe('Model,GPR1200 (Accuracy),ALFRED (Rouge-L f)\na,50.0,\nb,100.0,12.35\n');
  });

  test('keeps a column of ints, and makes floats of one with a gap or a float', () => {
    expect(csv({ a: { TQA: '{"Accuracy": 1}' }, b: { TQA: '{"Accuracy": 0}' } })).toBe(
      'Model,TQA (Accuracy)\na,100\nb,0\n',
    );
    expect(csv({ a: { TQA: '{"Accuracy": 1}' }, b: { TQA: '{"Accuracy": 0.5}' } })).toBe(
      'Model,TQA (Accuracy)\na,100.0\nb,50.0\n',
    );
    expect(csv({ a: { TQA: '{"Accuracy": true}' }, b: {} })).toBe('Model,TQA (Accuracy)\na,100.0\nb,\n');
  });

  test('leaves NaN empty and rounds halves of the exact value to even', () => {
    expect(csv({ a: { TQA: '{"Accuracy": NaN, "Other": 0.0003125}' } })).toBe(
      'Model,TQA (Accuracy),TQA (Other)\na,,0.03\n',
    );
    expect(csv({ a: { TQA: '{"Accuracy": 0.00125, "Other": 0.00375}' } })).toBe(
      'Model,TQA (Accuracy),TQA (Other)\na,0.12,0.38\n',
    );
  });

  test('passes over the entries that are no score', () => {
    const summary =
      '{"Diff-Accuracy": 1, "image_quantity_level-Result": {}, "image_quantity_level-Accuracy": {}}';
    expect(csv({ a: { TQA: summary } })).toBe('Model\na\n');
  });

  test('quotes commas, quotes and line ends, and nothing else', () => {
    expect(csv({ 'a,b': {}, 'say "x"': {}, 'two\nlines': {}, " it's ": {} })).toBe(
      'Model\n"a,b"\n"say ""x"""\n"two\nlines"\n it\'s \n',
    );
  });
});

describe('columns of the paper', () => {
  test('are means over datasets and count those that are missing', () => {
    const scores = [
      { dataset: 'GPR1200', score: 0.25 },
      { dataset: 'ActionLocalization', score: 1 },
      { dataset: 'ActionPrediction', score: 0.5 },
      { dataset: 'Unknown', score: 1 },
    ];
    expect(columnMeans(scores, {})).toEqual([
      { column: 'T-1', score: 0.75, datasets: 2, of: 3 },
      { column: 'IR', score: 0.25, datasets: 1, of: 1 },
    ]);
  });

  test('follow the columns a root defines', () => {
    const defined = { A: { column: 'T-2' }, B: { column: 'T-2' }, GPR1200: { column: 'mine' } };
    const scores = ['A', 'GPR1200'].map((dataset) => ({ dataset, score: 1 }));
    expect(columnMeans(scores, defined)).toEqual([
      { column: 'T-2', score: 1, datasets: 1, of: 2 },
      { column: 'mine', score: 1, datasets: 1, of: 1 },
    ]);
  });
});
