import type { RowBudget } from '../row-budget.js';

/** How the rows of a budget are spread over the layers. */
export interface Allocate {
  /** The rows of one layer; `budget` is what every layer would get alike. */
  rows(
    budget: RowBudget,
    at: { readonly layer: number; readonly layers: number; readonly length: number },
  ): RowBudget;
  /** Layers it is made for; null where any number will do. */
  readonly layers: number | null;
}
