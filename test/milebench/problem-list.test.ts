import { expect, test } from 'vitest';
import { ProblemList } from '../../src/milebench/check/problem-list.js';
import { describeTreeProblem } from '../../src/milebench/problem-kinds.js';

test('problems are counted by dataset and severity', () => {
  const list = new ProblemList();
  const report = list.of({ dataset: 'TQA', file: 'TQA/TQA.json' });
  report({ kind: 'context', what: 'is missing', sampleId: '3', field: 'task_instance.context' });
  report({ kind: 'dataset-name', what: 'names another', field: 'meta_data.dataset' });
  list.of({ dataset: null, file: 'columns.json' })({ kind: 'columns-file', what: 'the file is empty' });
  expect(list.counts('TQA')).toEqual({ errors: 1, warnings: 1 });
  expect(list.counts('ALFRED')).toEqual({ errors: 0, warnings: 0 });
  expect(list.total()).toEqual({ errors: 2, warnings: 1 });
  expect(list.problems.map(describeTreeProblem)).toEqual([
    'TQA/TQA.json, sample 3, field task_instance.context: is missing; write the question as a text',
    'TQA/TQA.json, field meta_data.dataset: names another; check that the file lies in the right folder',
    'columns.json: the file is empty; write {"<Dataset>": {"column": "T-1", "metric": "accuracy"}, …}',
  ]);
});

test('problems beyond the bound are counted, not kept', () => {
  const list = new ProblemList();
  const report = list.of({ dataset: 'TQA', file: 'TQA/TQA.json' });
  for (let i = 0; i < 200_005; i++) report({ kind: 'context', what: 'is missing' });
  expect(list.problems).toHaveLength(200_000);
  expect(list.unlisted).toBe(5);
  expect(list.total()).toEqual({ errors: 200_005, warnings: 0 });
});
