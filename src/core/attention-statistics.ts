/** Queries `from..to-1` of a prompt. */
export interface QueryRange {
  readonly from: number;
  readonly to: number;
}

/** What prefill is asked to record of a layer's attention weights beyond their column sums, which are always there. */
export interface StatisticNeeds {
  /** Sums of squared weights. */
  readonly squares: boolean;
  /** Column sums over these queries alone. */
  readonly windows: readonly QueryRange[];
}

/** Nothing beyond the column sums. */
export const noNeeds: StatisticNeeds = Object.freeze({ squares: false, windows: [] });

/** Everything that any of the needs asks for, each once. */
export function unionOfNeeds(needs: readonly StatisticNeeds[]): StatisticNeeds {
  const windows = new Map<string, QueryRange>();
  for (const need of needs) for (const range of need.windows) windows.set(rangeKey(range), range);
  return { squares: needs.some(({ squares }) => squares), windows: [...windows.values()] };
}

/** Equal ranges have equal keys. */
export function rangeKey({ from, to }: QueryRange): string {
  return `${from}-${to}`;
}

/**
 * What prefill recorded of a layer's attention weights; nothing of size length × length leaves a layer. Where query
 * heads share a key/value head, their weights are averaged.
 */
export interface AttentionStatistics {
  /** Weights summed over the queries `0..queries-1`: [heads, queries]. `queries` is the prompt's length or one less. */
  columnSums(queries: number): Float32Array;
  /** Squared weights, summed likewise: [heads, queries]. Only where `squares` was asked for. */
  columnSquares(queries: number): Float32Array;
  /** Weights summed over the queries of a window that was asked for: [heads, to]. */
  windowSums(range: QueryRange): Float32Array;
}
