import { describe, expect, test } from 'vitest';
import { parseColumnsFile } from '../../src/milebench/columns-file.js';

describe('a columns file', () => {
  test('defines column and metric of datasets; other fields are for readers', () => {
    const json = { Mine: { column: 'N-1', metric: 'needle', family: 'x' } };
    expect(parseColumnsFile(json, 'columns.json')).toEqual({ Mine: { column: 'N-1', metric: 'needle' } });
  });

  test.each([
    [{ Mine: { column: 'T-1' } }, 'columns.json, Mine.metric'],
    [{ Mine: { column: '', metric: 'accuracy' } }, 'columns.json, Mine.column'],
    [{ '../up': { column: 'T-1', metric: 'accuracy' } }, 'columns.json, ../up'],
    [{ '..': { column: 'T-1', metric: 'accuracy' } }, 'columns.json, ..'],
    [[], 'columns.json'],
    [null, 'columns.json'],
  ])('%j is refused at %s', (json, where) => {
    expect(() => parseColumnsFile(json, 'columns.json')).toThrow(new RegExp(`^${where}: .*; write \\{`));
  });
});
