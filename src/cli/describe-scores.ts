import type { Scoring } from '../config/protocols.js';
import { type ColumnMean, columnMeans, columnOf, type DefinedColumns } from '../official/column-means.js';
import { scoringNote } from '../official/dataset-scores.js';
import type { FolderScores, ModelScores } from '../official/score-folder.js';
import type { Table, TableRow, TableValue } from '../report/table.js';

/** Scores of a folder and what is needed to tell what they mean. */
export interface ScoreReport {
  readonly scores: FolderScores;
  readonly scoring: Scoring;
  readonly defined: DefinedColumns;
}

const percent = { kind: 'number', decimals: 2 } as const;
const count = { kind: 'number' } as const;

/** A dataset's score as programs get it; unknown values are `null`. */
interface DatasetEntry {
  readonly dataset: string;
  readonly column: string | null;
  readonly metric: string;
  readonly score: number;
  readonly low: number | null;
  readonly high: number | null;
  readonly n: number | null;
  readonly of: number | null;
}

function datasetEntries({ scores }: ModelScores, defined: DefinedColumns): DatasetEntry[] {
  return [...scores].map(([dataset, score]) => {
    const { metric } = score;
    const about = { dataset, column: columnOf(dataset, defined), metric, score: score.score };
    if (score.from === 'eval.json') return { ...about, low: null, high: null, n: null, of: null };
    return { ...about, ...score.interval, n: score.n, of: score.samples };
  });
}

function meansOf({ scores }: ModelScores, defined: DefinedColumns): ColumnMean[] {
  return columnMeans(
    [...scores].map(([dataset, { score }]) => ({ dataset, score })),
    defined,
  );
}

function inPercent(share: number | null): TableValue {
  return share === null ? null : share * 100;
}

function datasetTable({ scores, scoring, defined }: ScoreReport): Table {
  const rows = scores.models.flatMap((one) =>
    datasetEntries(one, defined).map(
      ({ dataset, column, metric, score, low, high, n, of }): TableRow => ({
        values: [one.model, dataset, column, metric, ...[score, low, high].map(inPercent), n, of],
        flagged: n !== of,
      }),
    ),
  );
  const notes = [
    scoringNote(scoring),
    'low, high: 95 % interval, Wilson’s of accuracies, bootstrap over the samples of ROUGE-L.',
    ...(rows.some(({ flagged }) => flagged)
      ? ['Where n is below of, only part of the samples is scored; columns take it like the whole.']
      : []),
    ...(rows.some(({ values }) => values.at(-1) === null)
      ? [
          'Scores without n were found in eval.json; there are no predictions to score, or they were not asked for.',
        ]
      : []),
  ];
  return {
    name: 'datasets',
    title: 'Score by dataset (%)',
    notes,
    legend: [],
    columns: [
      ...['model', 'dataset', 'column', 'metric'].map((header) => ({ header, kind: 'text' }) as const),
      ...['score', 'low', 'high'].map((header) => ({ header, ...percent })),
      ...['n', 'of'].map((header) => ({ header, ...count })),
    ],
    rows,
  };
}

function columnTable({ scores, scoring, defined }: ScoreReport): Table {
  const means = scores.models.map((one) => ({ model: one.model, means: meansOf(one, defined) }));
  const all = columnMeans(
    scores.models.flatMap((one) => [...one.scores.keys()].map((dataset) => ({ dataset, score: 0 }))),
    defined,
  ).map(({ column }) => column);
  const short = means.flatMap((one) =>
    one.means
      .filter(({ datasets, of }) => datasets < of)
      .map(({ column, datasets, of }) => `${one.model} ${column} ${datasets} of ${of}`),
  );
  return {
    name: 'columns',
    title: 'Score by task column (%)',
    notes: [
      `A column is the mean over its datasets. ${scoringNote(scoring)}`,
      ...(short.length === 0 ? [] : [`Columns that lack datasets: ${short.join(', ')}.`]),
    ],
    legend: [],
    columns: [{ header: 'model', kind: 'text' }, ...all.map((header) => ({ header, ...percent }))],
    rows: means.map((one) => ({
      values: [
        one.model,
        ...all.map((name) => inPercent(one.means.find(({ column }) => column === name)?.score ?? null)),
      ],
      flagged: one.means.some(({ datasets, of }) => datasets < of),
    })),
  };
}

/** The tables of a scored folder: by dataset, then by column of the paper. */
export function scoreTables(report: ScoreReport): Table[] {
  return [datasetTable(report), columnTable(report)].filter(({ columns, rows }) => {
    return rows.length > 0 && columns.length > 1;
  });
}

/** The same for programs, scores in [0, 1]. */
export function scoreSummary({ scores, scoring, defined }: ScoreReport): unknown {
  return {
    ok: scores.models.every(({ failures }) => failures.length === 0),
    scoring,
    models: scores.models.map((one) => ({
      model: one.model,
      datasets: datasetEntries(one, defined),
      columns: meansOf(one, defined),
      failures: one.failures.map(({ dataset, error }) => ({ dataset, message: error.message })),
    })),
    files: scores.files,
  };
}
