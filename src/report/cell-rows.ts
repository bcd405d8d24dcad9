import type { Cell, SampleRecord } from '../bench/record.js';
import { budgetName } from '../config/budget.js';
import type { FirstToken, Semantics } from '../config/protocols.js';
import { canonicalJson } from '../core/content-hash.js';
import { groupBy } from '../core/group-by.js';
import type { TableColumn, TableValue } from './table.js';

/** What a report is made of: records and the part of the plan that orders them. */
export interface ReportInput {
  readonly records: readonly SampleRecord[];
  readonly cells: readonly Cell[];
  /** The full cache answers alike under all of them and is shown under each. */
  readonly firstTokens: readonly FirstToken[];
}

/** One row of a table: a cell as shown under a first-token protocol, with its records. */
export interface CellRow {
  readonly cell: Cell;
  readonly firstToken: FirstToken;
  readonly records: readonly SampleRecord[];
}

/** Columns that open every table. */
export const cellColumns: readonly TableColumn[] = Object.freeze([
  { header: 'method', kind: 'text' },
  { header: 'budget', kind: 'text' },
  { header: 'first token', kind: 'text' },
  { header: 'semantics', kind: 'text', filesOnly: true },
  { header: 'n', kind: 'number' },
]);

/** The values of `cellColumns`. */
export function cellValues({ cell, firstToken, records }: CellRow): TableValue[] {
  const budget = cell.budget === null ? '100%' : budgetName(cell.budget);
  return [cell.method, budget, firstToken, cell.semantics, records.length];
}

/** Rows in the order of the cells, the full cache first under every protocol shown. */
export function cellRows({ records, cells, firstTokens }: ReportInput): CellRow[] {
  const byCell = groupBy(records, ({ cell }) => canonicalJson(cell));
  return cells.flatMap((cell) => {
    const own = byCell.get(canonicalJson(cell)) ?? [];
    const protocols = cell.budget === null ? firstTokens : [cell.firstToken];
    return protocols.map((firstToken) => ({ cell, firstToken, records: own }));
  });
}

const semanticsNames = {
  release: 'release (what the published code computes)',
  paper: 'paper (what the equations say)',
} as const satisfies Record<Semantics, string>;

/** What every table of a report says of its rows: backbone, semantics, protocols, samples. */
export function legendOf(rows: readonly CellRow[]): string[] {
  const semantics = [...new Set(rows.map(({ cell }) => semanticsNames[cell.semantics]))];
  const backbones = [...new Set(rows.flatMap(({ records }) => records.map(({ backbone }) => backbone)))];
  const legend = [
    `Backbone: ${backbones.join(', ') || 'none'}. Semantics: ${semantics.join(', ')}. n = samples.`,
    'First token: prefill = from the uncompressed prefill; cache = from the compressed cache. The full cache is one run, shown under each.',
  ];
  const counts = new Set(rows.map(({ records }) => records.length));
  if (counts.size > 1) legend.push('The rows do not cover the same samples: compare with care.');
  return legend;
}
