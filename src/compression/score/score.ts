import type { StatisticNeeds } from '../../core/attention-statistics.js';
import type { LayerInput } from '../layer-input.js';
import type { RowBudget } from '../row-budget.js';

/** How important every prompt position is. */
export interface Score {
  /** What prefill has to record for it. */
  needs(length: number, budget: RowBudget): StatisticNeeds;
  /** [heads, length]; larger stays. Positions in the recent window are kept whatever their score. */
  compute(layer: LayerInput, budget: RowBudget): Float32Array;
  /** Whether the scores change with the budget. */
  readonly dependsOnBudget: boolean;
  /** Whether the scores are drawn with the run's seed. */
  readonly random: boolean;
}

/** A score of what is always recorded. */
export function scoreOf(compute: (layer: LayerInput) => Float32Array): Score {
  return {
    needs: () => ({ squares: false, windows: [] }),
    compute,
    dependsOnBudget: false,
    random: false,
  };
}
