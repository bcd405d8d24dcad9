import type { LayerRows } from '../core/layer-rows.js';

/**
 * One decoder layer of a finished prefill, as compression sees it. Rows `length..capacity-1` of `keys` and
 * `values` are not part of the prompt seen by compression (the `cache` first-token protocol leaves the last
 * prompt token out).
 */
export interface LayerInput extends LayerRows {
  /** [length], 1 where the position is an image token. */
  readonly modality: Uint8Array;
  readonly statistics: AttentionStatistics;
}

/** What prefill recorded of the attention weights; nothing of size length × length leaves a layer. */
export interface AttentionStatistics {
  /**
   * Softmax weights summed over the queries `0..queries-1`, averaged over the query heads that share a
   * key/value head: [heads, queries]. Available for every query count prefill was asked to stop at.
   */
  columnSums(queries: number): Float32Array;
}

/** How many rows a budget allows in this layer: most recent ones, and important ones before them. */
export interface RowBudget {
  readonly recent: number;
  readonly important: number;
}

/** Ratios of the prompt length to row counts, truncated as the release does (modify_llama.py:261). */
export function rowBudget(length: number, ratio: { recent: number; important: number }): RowBudget {
  return { recent: Math.trunc(length * ratio.recent), important: Math.trunc(length * ratio.important) };
}
