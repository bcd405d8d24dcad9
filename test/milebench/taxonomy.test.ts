import { describe, expect, test } from 'vitest';
import {
  columnOrder,
  compareColumns,
  officialDatasets,
  officialMetric,
} from '../../src/milebench/taxonomy.js';

describe('the taxonomy', () => {
  test('has MileBench’s 29 datasets in the eleven columns of the paper', () => {
    const perColumn = new Map<string, number>();
    for (const { column } of Object.values(officialDatasets)) {
      perColumn.set(column, (perColumn.get(column) ?? 0) + 1);
    }
    expect(Object.keys(officialDatasets)).toHaveLength(29);
    expect([...perColumn]).toEqual([
      ['T-1', 3],
      ['T-2', 4],
      ['T-3', 2],
      ['T-4', 4],
      ['S-1', 4],
      ['S-2', 3],
      ['S-3', 3],
      ['S-4', 2],
      ['S-5', 1],
      ['NH', 2],
      ['IR', 1],
    ]);
  });

  test('scores four datasets by ROUGE-L and three by needle, as the official scorer dispatches', () => {
    const byMetric = (metric: string) =>
      Object.entries(officialDatasets).flatMap(([name, definition]) =>
        definition.metric === metric ? [name] : [],
      );
    expect(byMetric('rouge-l')).toEqual(['Spot-the-Diff', 'CLEVR-Change', 'IEdit', 'ALFRED']);
    expect(byMetric('needle')).toEqual(['MMCoQA', 'TextNeedleInAHaystack', 'ImageNeedleInAHaystack']);
  });

  test.each([
    ['TextNeedleInAHaystackMini', 'multi-choice', 'needle'],
    ['MMCoQA', 'open-ended', 'needle'],
    ['ALFRED', 'open-ended', 'rouge-l'],
    ['GPR1200', 'multi-choice', 'accuracy'],
    ['GPR1200', 'essay', null],
  ])('%s with question type %s is scored by %s', (dataset, questionType, metric) => {
    expect(officialMetric({ dataset, questionType })).toBe(metric);
  });

  test('orders columns from left to right and unknown ones by name behind them', () => {
    const shuffledColumns = ['X-2', 'IR', 'A-1', 'N-2', 'T-1', 'NH', 'S-5', 'N-1', 'T-4'];
    const sorted = ['T-1', 'T-4', 'S-5', 'NH', 'N-1', 'N-2', 'IR', 'A-1', 'X-2'];
    expect(shuffledColumns.sort(compareColumns)).toEqual(sorted);
    expect(compareColumns('X', 'X')).toBe(0);
    expect(new Set(columnOrder).size).toBe(columnOrder.length);
  });
});
