import { quantityLevels } from '../milebench/quantity-level.js';
import { cellColumns, cellValues } from './cell-rows.js';
import { estimateColumns, estimateValues } from './points.js';
import type { Report } from './report.js';
import type { Table } from './table.js';

/** Scores by number of images in percent: a row for every cell and protocol. */
export function levelTable({ rows, legend }: Report): Table {
  return {
    name: 'levels',
    title: 'Score by number of images (%)',
    filesOnly: true,
    notes: [
      'Few = up to 5 images, Medium = 6 to 31, Many = 32 and more, before truncation.',
      'A level is the mean over its samples, all datasets pooled (sums and counts of image_quantity_level-Result in eval.json); low, high = 95 %.',
    ],
    legend,
    columns: [
      ...cellColumns,
      ...quantityLevels.flatMap((level) => [
        ...estimateColumns(level),
        { header: `${level} n`, kind: 'number' } as const,
      ]),
    ],
    rows: rows.map((row) => ({
      values: [
        ...cellValues(row),
        ...quantityLevels.flatMap((level) => {
          const estimate = row.levels.get(level);
          return [...estimateValues(estimate), estimate?.n ?? 0];
        }),
      ],
      flagged: false,
    })),
  };
}
