import { type Cell, ofRandomWeights, type SampleRecord } from '../bench/record.js';
import { budgetName } from '../config/budget.js';
import type { FirstToken, Scoring, Semantics } from '../config/protocols.js';
import type { TableColumn, TableValue } from './table.js';

/** One row of a table: a cell as shown under a first-token protocol, with its records. */
export interface CellRow {
  readonly cell: Cell;
  readonly firstToken: FirstToken;
  readonly scoring: Scoring;
  readonly records: readonly SampleRecord[];
}

/** Equal cells have equal keys, whatever object they come from. */
export function cellKey({ method, semantics, budget, firstToken }: Cell): string {
  return JSON.stringify([method, semantics, firstToken, budget?.kind, budget?.recent, budget?.important]);
}

/** Columns that open every table. */
export const cellColumns: readonly TableColumn[] = Object.freeze([
  { header: 'method', kind: 'text' },
  { header: 'budget', kind: 'text' },
  { header: 'first token', kind: 'text' },
  { header: 'semantics', kind: 'text' },
  { header: 'scoring', kind: 'text', shownIn: 'files' },
  { header: 'n', kind: 'number' },
]);

/** The values of `cellColumns`; `n` when a line rests on other samples than all of the cell's. */
export function cellValues(
  { cell, firstToken, scoring, records }: CellRow,
  n = records.length,
): TableValue[] {
  const budget = cell.budget === null ? '100%' : budgetName(cell.budget);
  return [cell.method, budget, firstToken, cell.semantics, scoring, n];
}

export const semanticsNames = {
  release: 'release (what the published code computes)',
  paper: 'paper (what the equations say)',
} as const satisfies Record<Semantics, string>;

const scoringNames = {
  release: "release (as MileBench's scripts score)",
  fixed: "fixed (MileBench's rules with their documented bugs repaired)",
} as const satisfies Record<Scoring, string>;

export const randomWeightsNote =
  'No scores are reported: the weights are random (lookm convert --random-weights), so answers mean nothing.';

/** What every table of a report says of its rows: backbone, semantics, scoring, protocols, samples. */
export function legendOf(rows: readonly CellRow[]): string[] {
  const semantics = [...new Set(rows.map(({ cell }) => semanticsNames[cell.semantics]))];
  const scoring = [...new Set(rows.map((row) => scoringNames[row.scoring]))];
  const records = rows.flatMap((row) => row.records);
  const backbones = [...new Set(records.map(({ backbone }) => backbone))].join(', ') || 'none';
  const random = ofRandomWeights(records);
  const legend = [
    ...(random ? [randomWeightsNote] : []),
    `Backbone: ${backbones}${random ? ' (random weights)' : ''}. Semantics: ${semantics.join(', ')}. Scoring: ${scoring.join(', ')}. n = samples.`,
    'First token: prefill = from the uncompressed prefill; cache = from the compressed cache. The full cache is one run, shown under each.',
  ];
  const counts = new Set(rows.map(({ records }) => records.length));
  if (counts.size > 1) legend.push('The rows do not cover the same samples: compare with care.');
  return legend;
}
