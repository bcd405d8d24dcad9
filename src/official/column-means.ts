import { pairwiseMean } from '../core/pairwise-mean.js';
import { compareColumns, officialDatasets } from '../milebench/taxonomy.js';

/** The score of a column as the paper's tables have it. */
export interface ColumnMean {
  readonly column: string;
  /** Mean over the scored datasets of the column, in [0, 1]. */
  readonly score: number;
  readonly datasets: number;
  /** Datasets that the column has in all. */
  readonly of: number;
}

/** Columns of the datasets that a root defines, by name; the official ones need no definition. */
export type DefinedColumns = Readonly<Record<string, { readonly column: string }>>;

/** The column of a dataset, `null` when it is neither official nor defined. */
export function columnOf(dataset: string, defined: DefinedColumns): string | null {
  if (Object.hasOwn(defined, dataset)) return defined[dataset]!.column;
  const official: DefinedColumns = officialDatasets;
  return Object.hasOwn(official, dataset) ? official[dataset]!.column : null;
}

/**
 * Means over datasets by column, from left to right. A column counts the official datasets, or where the root defines
 * columns those it defines.
 */
export function columnMeans(
  scores: readonly { readonly dataset: string; readonly score: number }[],
  defined: DefinedColumns,
): ColumnMean[] {
  const named = scores.map(({ dataset, score }) => ({ column: columnOf(dataset, defined), score }));
  const known = Object.keys(defined).length > 0 ? defined : officialDatasets;
  const sizes = Object.values(known).map(({ column }) => column);
  const columns = [...new Set(named.map(({ column }) => column))].filter((column) => column !== null);
  return columns.sort(compareColumns).map((column) => {
    const own = named.filter((one) => one.column === column).map(({ score }) => score);
    const of = Math.max(own.length, sizes.filter((name) => name === column).length);
    return { column, score: pairwiseMean(own), datasets: own.length, of };
  });
}
