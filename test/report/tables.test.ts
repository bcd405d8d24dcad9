import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { accuracyTable } from '../../src/report/accuracy-table.js';
import { cacheTable } from '../../src/report/cache-table.js';
import { latencyTable } from '../../src/report/latency-table.js';
import { layerTable } from '../../src/report/layer-table.js';
import { renderConsole } from '../../src/report/render-console.js';
import { renderCsv } from '../../src/report/render-csv.js';
import { renderMarkdown } from '../../src/report/render-markdown.js';
import { prepareReport, type Report, type ReportInput } from '../../src/report/report.js';
import { reportTables } from '../../src/report/report-tables.js';
import type { Table } from '../../src/report/table.js';
import { writeTables } from '../../src/report/write-tables.js';
import { cell, full, record } from './sample-records.js';

const lookM = cell('look-m-tp-p', 0.05, 'cache');

const input: ReportInput = {
  cells: [full, lookM],
  firstTokens: ['prefill', 'cache'],
  scoring: 'release',
  records: [
    record({ cell: full, sampleId: '1', score: 1, steps: [10, 12] }),
    record({ cell: full, sampleId: '2', score: 1, steps: [11], prefill: 70 }),
    record({ cell: full, task: 'ChangeCaption', column: 'S-3', metric: 'rouge-l', score: 0.5 }),
    record({ cell: full, task: 'ShapeDirection', column: 'T-3', score: 1 }),
    record({ cell: lookM, sampleId: '1', score: 0, rows: 4, steps: [5, 6], compress: 8 }),
    record({ cell: lookM, sampleId: '2', score: 1, rows: 16, steps: [], compress: 10, prefill: 70 }),
    record({ cell: lookM, task: 'ChangeCaption', column: 'S-3', metric: 'rouge-l', score: 1 / 3, rows: 4 }),
    record({ cell: lookM, task: 'ShapeDirection', column: 'T-3', score: 1, rows: 4 }),
  ],
};

/** A table of one protocol. */
function tableOf(
  build: (report: Report) => Table,
  { cells, records }: Pick<ReportInput, 'cells' | 'records'>,
): Table {
  return build(prepareReport({ ...input, cells, firstTokens: ['prefill'], records }));
}

const plain = { colours: false };

describe('the accuracy table', () => {
  test('shows task columns in MileBench order, their mean, and the full cache under both protocols', () => {
    expect(renderConsole(accuracyTable(prepareReport(input)), plain)).toMatchInlineSnapshot(`
      "Score by task column (%)

      method       budget  effective %  first token  semantics  n    T-3    S-2   S-3  mean  ±
      full         100%          100.0  prefill      release    4  100.0  100.0  50.0  83.3  –
      full         100%          100.0  cache        release    4  100.0  100.0  50.0  83.3  –
      look-m-tp-p  5%              7.0  cache        release    4  100.0   50.0  33.3  61.1  – !

      A column is the mean over its datasets, scored as MileBench does; mean = mean over the columns shown.
      Effective % = rows kept over prompt tokens, mean over layers and samples.
      ± = half the 95 % interval of the mean, unknown where a dataset has one sample; accuracy.csv holds the bounds of every column.
      Marked rows keep more than their nominal budget: compare by effective size (table cache).
      "
    `);
  });

  test('weighs the datasets of a column alike, whatever their number of samples', () => {
    const records = [
      record({ cell: full, task: 'A', column: 'T-1', sampleId: '1', score: 1 }),
      record({ cell: full, task: 'A', column: 'T-1', sampleId: '2', score: 1 }),
      record({ cell: full, task: 'A', column: 'T-1', sampleId: '3', score: 1 }),
      record({ cell: full, task: 'B', column: 'T-1', sampleId: '1', score: 0 }),
    ];
    const table = accuracyTable(
      prepareReport({ ...input, cells: [full], firstTokens: ['prefill'], records }),
    );
    const score = table.columns.findIndex(({ header }) => header === 'T-1');
    expect(table.rows[0]?.values[score]).toBe(50);
  });

  test('shows a cell without records as missing and says that the rows differ', () => {
    const records = input.records.filter((each) => each.cell === full);
    const table = accuracyTable(prepareReport({ ...input, records }));
    const [method, budget, effective, firstToken, semantics, scoring, n, ...scores] =
      table.rows.at(-1)!.values;
    expect([method, budget, effective, firstToken, semantics, scoring, n]).toEqual([
      ...['look-m-tp-p', '5%', null, 'cache', 'release', 'release', 0],
    ]);
    expect(new Set(scores)).toEqual(new Set([null]));
    expect(table.legend.at(-1)).toBe('The rows do not cover the same samples: compare with care.');
  });

  test('marks no row, and says nothing of budgets, when all keep theirs', () => {
    const exact = cell('h2o', 0.2, 'cache');
    const table = tableOf(accuracyTable, { cells: [exact], records: [record({ cell: exact, rows: 20 })] });
    expect(table.rows.map(({ flagged }) => flagged)).toEqual([false]);
    expect(table.notes.join()).not.toContain('Marked');
  });

  test('tells budgets of equal numbers and another kind apart, and semantics', () => {
    const tokens = { ...lookM, budget: { kind: 'tokens', recent: 1, important: 1 } } as const;
    const cells = [
      tokens,
      { ...tokens, budget: { ...tokens.budget, kind: 'bytes' } },
      { ...tokens, semantics: 'paper' },
    ] as const;
    const records = cells.map((each, i) => record({ cell: each, rows: 1, score: i / 2 }));
    const table = tableOf(accuracyTable, { cells, records });
    const [budget, semantics, score] = ['budget', 'semantics', 'mean'].map((name) =>
      table.columns.findIndex(({ header }) => header === name),
    );
    expect(table.rows.map(({ values }) => [values[budget!], values[semantics!], values[score!]])).toEqual([
      ['2tok', 'release', 0],
      ['2B', 'release', 50],
      ['2tok', 'paper', 100],
    ]);
  });

  test('says once what records remark on, of which methods and of how many samples', () => {
    const [h2o, paper] = [cell('h2o', 0.2, 'prefill'), { ...lookM, semantics: 'paper' } as const];
    const crash = 'the published code crashes';
    const records = [
      record({ cell: h2o, sampleId: '1', remarks: [crash] }),
      record({ cell: h2o, sampleId: '2', remarks: [crash] }),
      record({ cell: { ...h2o, firstToken: 'cache' }, sampleId: '2', remarks: [crash] }),
      record({ cell: paper, sampleId: '1', remarks: ['nothing to merge', crash] }),
      record({ cell: paper, sampleId: '2' }),
    ];
    const cells = [h2o, { ...h2o, firstToken: 'cache' }, paper] as const;
    expect(tableOf(accuracyTable, { cells, records }).notes.slice(-2)).toEqual([
      'h2o (release), 2 samples; look-m-tp-p (paper), 1 sample: the published code crashes',
      'look-m-tp-p (paper), 1 sample: nothing to merge',
    ]);
  });

  test('leaves most of many remarks to the records, and remarks on the full cache once', () => {
    const remarks = Array.from({ length: 11 }, (_, i) => `remark ${i}`);
    const { notes } = tableOf(accuracyTable, { cells: [full], records: [record({ cell: full, remarks })] });
    expect(notes.slice(-2)).toEqual(['full (release), 1 sample: remark 7', '… and 3 more in the records.']);
  });

  test('leaves records of cells outside the plan alone', () => {
    const other = record({
      cell: cell('h2o', 0.2, 'cache'),
      task: 'ShapeDirection',
      column: 'T-3',
      score: 0,
    });
    const table = accuracyTable(prepareReport({ ...input, records: [...input.records, other] }));
    expect(table.rows).toEqual(accuracyTable(prepareReport(input)).rows);
  });
});

describe('the cache table', () => {
  test('shows nominal and effective size and marks rows above their budget', () => {
    expect(renderConsole(cacheTable(prepareReport(input)), plain)).toMatchInlineSnapshot(`
      "Size of the KV cache

      method       budget  first token  semantics  n  nominal %  effective %  nominal rows  effective rows  over  MiB nominal  MiB compressed  MiB at the end
      full         100%    prefill      release    4      100.0        100.0         100.0           100.0     0        1.563           1.563           1.578
      full         100%    cache        release    4      100.0        100.0         100.0           100.0     0        1.563           1.563           1.578
      look-m-tp-p  5%      cache        release    4        4.0          7.0           4.0             7.0     1        0.063           0.109           0.125 !

      Nominal = what the budget allows, effective = what is kept: % of the prompt tokens and rows in a layer, MiB of K and V of all layers (float32, or int8 with its factors); means over layers and samples.
      Over = samples with a layer that keeps more rows than its budget allows: such rows are marked. In release semantics text priors keep all text, whatever the budget.
      "
    `);
  });

  const flagsOf = (rows: number | readonly [number, number]): boolean[] => {
    const exact = cell('h2o', 0.2, 'prefill');
    const records = [record({ cell: exact, rows })];
    return tableOf(cacheTable, { cells: [exact], records }).rows.map(({ flagged }) => flagged);
  };

  test('does not mark a cache of exactly its budget', () => {
    expect(flagsOf(20)).toEqual([false]);
  });

  test('marks a cache with one layer above its budget, however small the others are', () => {
    expect(flagsOf([21, 1])).toEqual([true]);
    expect(flagsOf([1, 21])).toEqual([true]);
  });
});

describe('the layer table', () => {
  const h2o = cell('h2o', 0.2, 'prefill');
  const records = [
    record({ cell: h2o, sampleId: '1', rows: [21, 10] }),
    record({ cell: h2o, sampleId: '2', rows: [19, 4] }),
  ];

  test('has a row for every cell and layer, and marks layers above their budget', () => {
    const csv = renderCsv(tableOf(layerTable, { cells: [h2o], records })).split('\n');
    expect(csv).toMatchInlineSnapshot(`
      [
        "method,budget,first token,semantics,scoring,n,layer,nominal %,effective %,nominal rows,effective rows,MiB nominal,MiB compressed",
        "h2o,20%,prefill,release,release,2,0,20,20,20,20,0.15625,0.15625",
        "h2o,20%,prefill,release,release,2,1,20,7,20,7,0.15625,0.0546875",
        "",
      ]
    `);
    const { rows } = tableOf(layerTable, { cells: [h2o], records });
    expect(rows.map(({ flagged }) => flagged)).toEqual([true, false]);
  });

  test('has nothing to say of a cell without records, and stays off the console', () => {
    const table = tableOf(layerTable, { cells: [full, h2o], records });
    expect(table.rows.map(({ values: [method] }) => method)).toEqual(['h2o', 'h2o']);
    expect(table.filesOnly).toBe(true);
  });
});

describe('the latency table', () => {
  test('shows medians, deviations, steps and the speed-up, and says what it is not', () => {
    expect(renderConsole(latencyTable(prepareReport(input)), plain)).toMatchInlineSnapshot(`
      "Latency (ms)

      method       budget  first token  semantics  n  prefill  ± prefill  compress  ± compress  decode  ± decode  steps  speed-up
      full         100%    prefill      release    4     50.0        0.0      2.00        0.00   11.00      1.00      3      1.00
      full         100%    cache        release    4     50.0        0.0      2.00        0.00   11.00      1.00      3      1.00
      look-m-tp-p  5%      cache        release    4     50.0        0.0      5.00        3.00    5.50      0.50      2      2.00

      A by-product of an accuracy run: no warm-up, no repeats, answers of different lengths. lookm bench --latency measures by a protocol.
      Prefill is shared by all cells of a sample; compress = all layers of a sample; decode = one decode step. Median ± median absolute deviation.
      Speed-up = median decode step of the full cache over median step of the row.
      "
    `);
  });

  test('marks rows whose decode other cells share, and says why', () => {
    const shared = record({ cell: lookM, steps: [5], sharedDecode: true });
    const table = latencyTable(prepareReport({ ...input, records: [...input.records, shared] }));
    expect(table.rows.map(({ flagged }) => flagged)).toEqual([false, false, true]);
    expect(table.notes.at(-1)).toBe(
      'Cells with identical caches share one decode: marked rows hold steps of shared decodes.',
    );
  });

  test('claims no speed-up without a full cache', () => {
    const records = input.records.filter((each) => each.cell === lookM);
    const table = latencyTable(prepareReport({ ...input, cells: [lookM], firstTokens: ['cache'], records }));
    expect(table.rows[0]?.values.at(-1)).toBeNull();
  });
});

test('every table names semantics, scoring, protocol and number of samples', () => {
  for (const table of reportTables(input)) {
    const headers = table.columns.map(({ header }) => header).filter((header) => header !== 'effective %');
    expect(headers.slice(0, 6)).toEqual(['method', 'budget', 'first token', 'semantics', 'scoring', 'n']);
    expect(table.columns.find(({ header }) => header === 'semantics')).not.toHaveProperty('shownIn');
    expect(table.legend[0]).toBe(
      "Backbone: tiny. Semantics: release (what the published code computes). Scoring: release (as MileBench's scripts score). n = samples.",
    );
  }
});

test('of random weights only costs are shown, and why', () => {
  const records = input.records.map((each) => ({ ...each, randomWeights: true as const }));
  const tables = reportTables({ ...input, records });
  expect(tables.map(({ name }) => name)).toEqual(['cache', 'latency', 'layers']);
  for (const { legend, rows } of tables) {
    expect(legend[0]).toContain('No scores are reported: the weights are random');
    expect(legend[1]).toContain('Backbone: tiny (random weights).');
    expect(rows.length).toBeGreaterThan(0);
  }
});

describe('renderers', () => {
  test('CSV keeps more digits than it shows and leaves missing values empty', () => {
    expect(renderCsv(accuracyTable(prepareReport(input)))).toMatchInlineSnapshot(`
      "method,budget,effective %,first token,semantics,scoring,n,T-3,T-3 low,T-3 high,S-2,S-2 low,S-2 high,S-3,S-3 low,S-3 high,mean,mean low,mean high,±
      full,100%,100,prefill,release,release,4,100,20.65493144,100,100,34.23802275,100,50,,,83.33333333,,,
      full,100%,100,cache,release,release,4,100,20.65493144,100,100,34.23802275,100,50,,,83.33333333,,,
      look-m-tp-p,5%,7,cache,release,release,4,100,20.65493144,100,50,9.453120573,90.54687943,33.33333333,,,61.11111111,,,
      "
    `);
    expect(renderCsv(latencyTable(prepareReport({ ...input, records: [] })))).toContain(
      'full,100%,prefill,release,release,0,,,,,,,0,\n',
    );
  });

  test('Markdown carries notes and legend, and sets marked rows in bold', () => {
    expect(renderMarkdown(cacheTable(prepareReport(input)))).toMatchInlineSnapshot(`
      "## Size of the KV cache

      | method | budget | first token | semantics | scoring | n | nominal % | effective % | nominal rows | effective rows | over | MiB nominal | MiB compressed | MiB at the end |
      | :--- | :--- | :--- | :--- | :--- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
      | full | 100% | prefill | release | release | 4 | 100.0 | 100.0 | 100.0 | 100.0 | 0 | 1.563 | 1.563 | 1.578 |
      | full | 100% | cache | release | release | 4 | 100.0 | 100.0 | 100.0 | 100.0 | 0 | 1.563 | 1.563 | 1.578 |
      | **look-m-tp-p** | **5%** | **cache** | **release** | **release** | **4** | **4.0** | **7.0** | **4.0** | **7.0** | **1** | **0.063** | **0.109** | **0.125** |

      - Nominal = what the budget allows, effective = what is kept: % of the prompt tokens and rows in a layer, MiB of K and V of all layers (float32, or int8 with its factors); means over layers and samples.
      - Over = samples with a layer that keeps more rows than its budget allows: such rows are marked. In release semantics text priors keep all text, whatever the budget.
      - Backbone: tiny. Semantics: release (what the published code computes). Scoring: release (as MileBench's scripts score). n = samples.
      - First token: prefill = from the uncompressed prefill; cache = from the compressed cache. The full cache is one run, shown under each.
      "
    `);
  });

  test('Markdown and CSV quote what would break them', () => {
    const column = { header: 'a|b', kind: 'text' } as const;
    const rows = [{ values: ['x|y, "z"'], flagged: false }];
    const table = { name: 't', title: 't', notes: [], legend: [], columns: [column], rows };
    expect(renderMarkdown(table)).toContain('| x\\|y, "z" |');
    expect(renderCsv(table)).toBe('a|b\n"x|y, ""z"""\n');
  });

  test('the console shows the same text with and without colours', () => {
    const escapes = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');
    for (const table of reportTables(input)) {
      const coloured = renderConsole(table, { colours: true });
      expect(coloured).toMatch(escapes);
      const bare = (text: string): string =>
        text.replace(escapes, '').replace(/ !$/gm, '').replace(/ +$/gm, '');
      expect(bare(coloured)).toBe(bare(renderConsole(table, plain)));
    }
  });
});

test('tables are written as CSV and Markdown, and nothing else stays behind', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'lookm-tables-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const names = await writeTables(directory, reportTables(input));
  const expected = reportTables(input).flatMap(({ name }) => [`${name}.csv`, `${name}.md`]);
  expect(expected).toHaveLength(16);
  expect(names).toEqual(expected);
  expect((await readdir(directory)).sort()).toEqual([...expected].sort());
  expect(await readFile(path.join(directory, 'cache.md'), 'utf8')).toBe(
    renderMarkdown(cacheTable(prepareReport(input))),
  );
});
