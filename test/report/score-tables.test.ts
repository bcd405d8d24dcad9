import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SampleRecord } from '../../src/bench/record.js';
import { seededRandom, shuffled } from '../../src/core/seeded-random.js';
import { wilsonInterval } from '../../src/core/wilson-interval.js';
import { renderCsv } from '../../src/report/render-csv.js';
import type { ReportInput } from '../../src/report/report.js';
import { reportTables } from '../../src/report/report-tables.js';
import type { Table, TableValue } from '../../src/report/table.js';
import { cell, full, record } from './sample-records.js';
import { type RandomDataset, randomRecords } from './score-records.js';

const h2o = cell('h2o', 0.2, 'prefill');

const datasets: readonly RandomDataset[] = [
  { task: 'ActionLocalization', column: 'T-1', metric: 'accuracy', samples: 40 },
  { task: 'ActionSequence', column: 'T-1', metric: 'accuracy', samples: 10 },
  { task: 'nuscenes', column: 'S-5', metric: 'accuracy', samples: 30 },
  { task: 'IEdit', column: 'S-3', metric: 'rouge-l', samples: 25 },
];

const input: ReportInput = {
  cells: [full, h2o],
  firstTokens: ['prefill'],
  scoring: 'release',
  records: [...randomRecords(full, datasets, 1), ...randomRecords(h2o, datasets, 2)],
};

function tableOf(name: string, changes: Partial<ReportInput> = {}): Table {
  return reportTables({ ...input, ...changes }).find((table) => table.name === name)!;
}

/** The rows of a table as objects by header. */
function rowsOf(name: string, changes: Partial<ReportInput> = {}): Record<string, TableValue>[] {
  const { columns, rows } = tableOf(name, changes);
  return rows.map(({ values }) =>
    Object.fromEntries(columns.map(({ header }, i) => [header, values[i] ?? null])),
  );
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
}

function scoresOf(records: readonly SampleRecord[], task: string, method: string): number[] {
  return records
    .filter((each) => each.task === task && each.cell.method === method)
    .map(({ scores }) => scores.release.score);
}

/** Interval of the mean of dataset means, drawn plainly: whole datasets redrawn one value at a time. */
function plainInterval(strata: readonly (readonly number[])[]): { low: number; high: number } {
  const random = seededRandom(99);
  const means = Array.from({ length: 4000 }, () =>
    mean(strata.map((values) => mean(values.map(() => values[Math.floor(random() * values.length)]!)))),
  ).sort((a, b) => a - b);
  return { low: means[99]!, high: means[3899]! };
}

describe('intervals of the accuracy table', () => {
  const row = rowsOf('accuracy')[0]!;

  test('are those of Wilson for a column of one dataset that is right or wrong', () => {
    const scores = scoresOf(input.records, 'nuscenes', 'full');
    const { low, high } = wilsonInterval({ successes: mean(scores) * 30, trials: 30 });
    expect(row['S-5 low']).toBeCloseTo(low * 100, 10);
    expect(row['S-5 high']).toBeCloseTo(high * 100, 10);
  });

  test('are those of the datasets combined for a column of several that are right or wrong', () => {
    const parts = ['ActionLocalization', 'ActionSequence'].map((task) => {
      const scores = scoresOf(input.records, task, 'full');
      const trials = scores.length;
      return { value: mean(scores), ...wilsonInterval({ successes: mean(scores) * trials, trials }) };
    });
    const [one, two] = parts;
    const value = (one!.value + two!.value) / 2;
    const below = Math.hypot(one!.value - one!.low, two!.value - two!.low) / 2;
    const above = Math.hypot(one!.high - one!.value, two!.high - two!.value) / 2;
    expect(row['T-1']).toBeCloseTo(value * 100, 10);
    expect(row['T-1 low']).toBeCloseTo((value - below) * 100, 10);
    expect(row['T-1 high']).toBeCloseTo((value + above) * 100, 10);
  });

  test('claim no certainty where every answer of every dataset is wrong', () => {
    const tasks = ['TextNeedleInAHaystack', 'ImageNeedleInAHaystack'];
    const records = tasks.flatMap((task) =>
      Array.from({ length: 20 }, (_, i) =>
        record({ cell: full, task, column: 'NH', metric: 'needle', sampleId: `${i}`, score: 0 }),
      ),
    );
    const [first] = rowsOf('accuracy', { records });
    expect([first!['NH'], first!['NH low']]).toEqual([0, 0]);
    // 0 of 20 has an upper bound of 16.1 %; two of them combined 16.1 / sqrt(2).
    expect(first!['NH high']).toBeCloseTo(11.39, 1);
  });

  test('are bootstrapped for graded scores', () => {
    const { low, high } = plainInterval([scoresOf(input.records, 'IEdit', 'full')]);
    expect(Math.abs(Number(row['S-3 low']) - low * 100)).toBeLessThan(1.5);
    expect(Math.abs(Number(row['S-3 high']) - high * 100)).toBeLessThan(1.5);
  });

  test('show half the width of that of the mean', () => {
    expect(row['±']).toBeCloseTo((Number(row['mean high']) - Number(row['mean low'])) / 2, 10);
  });

  test('of a dataset do not depend on what else was run', () => {
    const alone = input.records.filter(({ task }) => task === 'IEdit');
    const only = rowsOf('datasets', { records: alone })[0]!;
    const among = rowsOf('datasets').find(({ dataset }) => dataset === 'IEdit')!;
    expect(only).toEqual(among);
  });

  test('are not claimed for a mean over a dataset of one graded sample', () => {
    const records = [...input.records, record({ cell: full, task: 'ALFRED', metric: 'rouge-l' })];
    const [first] = rowsOf('accuracy', { records });
    expect([first!['S-2'], first!['S-2 low'], first!['S-2 high'], first!['±']]).toEqual([
      100,
      null,
      null,
      null,
    ]);
  });
});

describe('columns of the paper', () => {
  const oneOf = (tasks: readonly string[], column: string): string => {
    const records = tasks.map((task) => record({ cell: full, task, column }));
    return tableOf('accuracy', { records, cells: [full] }).notes.join();
  };

  test('that lack datasets are named, with how many they have', () => {
    expect(oneOf(['ActionLocalization', 'ActionSequence'], 'T-1')).toContain('T-1 2 of 3.');
    expect(oneOf(['nuscenes'], 'S-5')).not.toContain('lack');
  });

  test('are not expected of datasets that MileBench does not have, or has elsewhere', () => {
    expect(oneOf(['ShapeExistence'], 'T-2')).not.toContain('lack');
    expect(oneOf(['ActionLocalization'], 'mine')).not.toContain('lack');
  });
});

describe('scoring semantics', () => {
  const fixed = { score: 1, extracted: 'B' };
  const records = [
    record({ cell: full, sampleId: '1', scores: { release: { score: 0, extracted: 'AB' }, fixed } }),
    record({
      ...{ cell: full, sampleId: '2' },
      scores: { release: { score: 0, extracted: null, aborts: 'ValueError' }, fixed },
    }),
  ];

  test('choose the scores of every table and are named beside them', () => {
    for (const [scoring, score] of [
      ['release', 0],
      ['fixed', 100],
    ] as const) {
      for (const [table, header] of [
        ['accuracy', 'mean'],
        ['datasets', 'score'],
        ['datasets', 'Few'],
        ['levels', 'Few'],
      ] as const) {
        const [row] = rowsOf(table, { records, cells: [full], scoring });
        expect([row!['scoring'], row![header]]).toEqual([scoring, score]);
      }
      expect(tableOf('accuracy', { records, cells: [full], scoring }).legend[0]).toContain(
        `Scoring: ${scoring}`,
      );
    }
  });

  test('answers that stop the official scorer are counted once, under release only', () => {
    const changes = { records, cells: [full], firstTokens: ['prefill', 'cache'] } as const;
    expect(tableOf('accuracy', { ...changes, scoring: 'release' }).notes.at(-1)).toBe(
      '1 answer stops the official scorer and counts 0 here (aborts in the records says why).',
    );
    expect(tableOf('accuracy', { ...changes, scoring: 'fixed' }).notes.join()).not.toContain('stops');
  });
});

describe('the dataset table', () => {
  test('has a row for every cell and dataset, in the order of the columns', () => {
    const rows = rowsOf('datasets');
    expect(rows.map(({ method, column, dataset, n }) => [method, column, dataset, n])).toEqual(
      ['full', 'h2o'].flatMap((method) => [
        [method, 'T-1', 'ActionLocalization', 40],
        [method, 'T-1', 'ActionSequence', 10],
        [method, 'S-3', 'IEdit', 25],
        [method, 'S-5', 'nuscenes', 30],
      ]),
    );
  });

  test('takes the levels apart: their samples and sums add up to the dataset', () => {
    for (const row of rowsOf('datasets')) {
      const levels = ['Few', 'Medium', 'Many'].map((level) => ({
        score: Number(row[level]),
        n: Number(row[`${level} n`]),
      }));
      const total = levels.reduce((sum, { n }) => sum + n, 0);
      expect(total).toBe(row['n']);
      expect(levels.reduce((sum, { score, n }) => sum + score * n, 0) / total).toBeCloseTo(
        Number(row['score']),
        9,
      );
    }
  });

  test('leaves a level without samples open', () => {
    const records = [record({ cell: full, level: 'Many', score: 1 })];
    const [row] = rowsOf('datasets', { records, cells: [full] });
    expect([row!['Few'], row!['Few n'], row!['Many'], row!['Many n']]).toEqual([null, 0, 100, 1]);
  });
});

test('the level table pools the samples of all datasets, as sums and counts of the official scorer allow', () => {
  const [row] = rowsOf('levels');
  for (const level of ['Few', 'Medium', 'Many']) {
    const own = input.records.filter(
      ({ quantityLevel, cell: { method } }) => quantityLevel === level && method === 'full',
    );
    expect(row![`${level} n`]).toBe(own.length);
    expect(row![level]).toBeCloseTo(mean(own.map(({ scores }) => scores.release.score)) * 100, 10);
    expect(Number(row![`${level} low`])).toBeLessThan(Number(row![level]));
    expect(Number(row![`${level} high`])).toBeGreaterThan(Number(row![level]));
  }
});

describe('the difference to the full cache', () => {
  test('is exactly 0, with an interval of 0 and p = 1, for a cell that answers alike', () => {
    const alike = randomRecords(full, datasets, 1).map((each) => ({ ...each, cell: h2o }));
    const records = [...randomRecords(full, datasets, 1), ...alike];
    for (const row of rowsOf('pairs', { records })) {
      expect([row['difference'], row['difference low'], row['difference high']]).toEqual([0, 0, 0]);
      expect([row['better'], row['worse']]).toEqual([0, 0]);
      expect(row['p']).toBe(row['column'] === 'S-3' || row['column'] === 'mean' ? null : 1);
    }
    expect(tableOf('differences', { records }).rows.map(({ flagged }) => flagged)).toEqual([false]);
  });

  test('is that of the scores, column by column and in the mean', () => {
    const [fullRow, ownRow] = rowsOf('accuracy');
    const [row] = rowsOf('differences');
    expect(row!['n']).toBe(105);
    for (const column of ['T-1', 'S-3', 'S-5', 'mean']) {
      expect(row![column]).toBeCloseTo(Number(ownRow![column]) - Number(fullRow![column]), 10);
    }
  });

  test('has the interval of paired resamples within datasets', () => {
    const strata = ['ActionLocalization', 'ActionSequence'].map((task) => {
      const before = scoresOf(input.records, task, 'full');
      return scoresOf(input.records, task, 'h2o').map((score, i) => score - before[i]!);
    });
    const { low, high } = plainInterval(strata);
    const row = rowsOf('pairs').find(({ column }) => column === 'T-1')!;
    expect(Math.abs(Number(row['difference low']) - low * 100)).toBeLessThan(2);
    expect(Math.abs(Number(row['difference high']) - high * 100)).toBeLessThan(2);
  });

  test('counts discordant pairs and tests them by McNemar where answers are right or wrong', () => {
    const worse = Array.from({ length: 8 }, () => [1, 0] as const);
    const scores = [...worse, [0, 1], [0, 1], [1, 1], [0, 0]] as const;
    const records = scores.flatMap(([before, after], i) => [
      record({ cell: full, sampleId: String(i), score: before }),
      record({ cell: h2o, sampleId: String(i), score: after }),
    ]);
    const [row, overall] = rowsOf('pairs', { records });
    expect([row!['better'], row!['worse'], row!['n']]).toEqual([2, 8, 12]);
    expect(row!['p']).toBeCloseTo(112 / 1024, 12);
    expect(overall).toEqual({ ...row, column: 'mean' });
  });

  test('is marked where its interval leaves out 0', () => {
    const records = Array.from({ length: 20 }, (_, i) => [
      record({ cell: full, sampleId: String(i), score: 1 }),
      record({ cell: h2o, sampleId: String(i), score: i < 10 ? 0 : 1 }),
    ]).flat();
    const { rows } = tableOf('differences', { records });
    expect(rows.map(({ flagged }) => flagged)).toEqual([true]);
  });

  test('rests on the samples that both have answered, and says so', () => {
    const records = input.records.filter(
      (each) => !(each.cell.method === 'full' && each.task === 'nuscenes' && Number(each.sampleId) >= 12),
    );
    const row = rowsOf('pairs', { records }).find(({ column }) => column === 'S-5')!;
    expect(row['n']).toBe(12);
    for (const name of ['differences', 'pairs']) {
      expect(tableOf(name, { records }).notes.at(-1)).toContain('some samples are answered by the row or');
      expect(tableOf(name).notes.join()).not.toContain('some samples are answered');
    }
  });

  test('matches samples by task and id, not by their place in the log', () => {
    const reversed = [...input.records].reverse();
    expect(rowsOf('pairs', { records: reversed })).toEqual(rowsOf('pairs'));
  });

  test('is not claimed without the full cache, and the tables say what to add', () => {
    const records = input.records.filter((each) => each.cell.method === 'h2o');
    const changes = { records, cells: [h2o] };
    for (const row of rowsOf('pairs', changes)) {
      expect([row['n'], row['difference'], row['better'], row['p']]).toEqual([0, null, null, null]);
    }
    expect(tableOf('differences', changes).notes.at(-1)).toContain('(add full)');
    const unanswered = rowsOf('differences', { records });
    expect(unanswered.map(({ n, mean }) => [n, mean])).toEqual([[0, null]]);
  });
});

test('no table depends on the order of the records', () => {
  const text = (records: readonly SampleRecord[]): string =>
    reportTables({ ...input, records })
      .filter(({ name }) => name !== 'latency' && name !== 'cache')
      .map(renderCsv)
      .join('\n');
  const expected = text(input.records);
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      expect(text(shuffled(input.records, seededRandom(seed)))).toBe(expected);
    }),
    { numRuns: 20 },
  );
});
