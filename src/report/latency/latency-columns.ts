import { budgetName } from '../../config/budget.js';
import type { TableColumn, TableValue } from '../table.js';
import type { LatencyRow } from './latency-rows.js';

/** What latency tables are made of. */
export interface LatencyReport {
  readonly rows: readonly LatencyRow[];
  readonly legend: readonly string[];
}

/** Columns that open every latency table. */
export const latencyColumns: readonly TableColumn[] = Object.freeze([
  { header: 'method', kind: 'text' },
  { header: 'budget', kind: 'text' },
  { header: 'first token', kind: 'text' },
  { header: 'semantics', kind: 'text' },
  { header: 'n', kind: 'number' },
]);

/** The values of `latencyColumns`. */
export function latencyCellValues({ cell, nullTest, measurements }: LatencyRow): TableValue[] {
  const { method, budget, firstToken, semantics } = cell;
  return [
    nullTest ? `${method} (null test)` : method,
    budget === null ? '100%' : budgetName(budget),
    firstToken,
    semantics,
    measurements.length,
  ];
}
