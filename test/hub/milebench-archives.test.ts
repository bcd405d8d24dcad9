import { expect, test } from 'vitest';
import { datasetPath, mileBenchArchives } from '../../src/hub/milebench-archives.js';
import { officialDatasets } from '../../src/milebench/taxonomy.js';

test('the archives hold every dataset of the taxonomy once', () => {
  const held = Object.values(mileBenchArchives).flat();
  expect([...held].sort()).toEqual(Object.keys(officialDatasets).sort());
});

test('a folder MileBench around the datasets makes no difference', () => {
  expect(datasetPath(['MileBench', 'TQA', 'TQA.json'])).toEqual(['TQA', 'TQA.json']);
  expect(datasetPath(['TQA', 'TQA.json'])).toEqual(['TQA', 'TQA.json']);
});
