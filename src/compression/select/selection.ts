import type { StatisticNeeds } from '../../core/attention-statistics.js';
import type { LayerInput } from '../layer-input.js';
import type { RowBudget } from '../row-budget.js';

/** Conserved positions of every head, the same number in each: [heads, rows], in cache order. */
export interface Selection {
  readonly rows: number;
  readonly kept: Int32Array;
}

/** How scores and tiers become conserved positions. */
export interface Select {
  /** The rows it makes of a budget: a rule may bring a recent window of its own. */
  window(budget: RowBudget): RowBudget;
  /** What prefill has to record for it. */
  needs(length: number): StatisticNeeds;
  /**
   * @param input.scores [heads, length]
   * @param input.positions tier of every position (see `tiers`): [length]
   */
  select(input: SelectInput): Selection;
}

export interface SelectInput {
  readonly layer: LayerInput;
  readonly budget: RowBudget;
  readonly scores: Float32Array;
  readonly positions: Uint8Array;
}
