import type { Cell, SampleRecord } from '../../src/bench/record.js';
import { seededRandom } from '../../src/core/seeded-random.js';
import { record } from './sample-records.js';

/** A dataset of random answers: right or wrong under `accuracy`, in eighths under `rouge-l`. */
export interface RandomDataset {
  readonly task: string;
  readonly column: string;
  readonly metric: 'accuracy' | 'needle' | 'rouge-l';
  readonly samples: number;
}

/** Records of a cell, the same for the same seed; the levels go round. */
export function randomRecords(cell: Cell, datasets: readonly RandomDataset[], seed: number): SampleRecord[] {
  const random = seededRandom(seed);
  return datasets.flatMap(({ task, column, metric, samples }) =>
    Array.from({ length: samples }, (_, i) =>
      record({
        ...{ cell, task, column, metric, sampleId: String(i) },
        level: (['Few', 'Medium', 'Many'] as const)[i % 3]!,
        score: metric === 'rouge-l' ? Math.floor(random() * 9) / 8 : random() < 0.6 ? 1 : 0,
      }),
    ),
  );
}
