import type { LayerInput, RowBudget } from '../layer-input.js';
import { markLargest } from './largest.js';

/** Conserved positions of every head, ascending: [heads, rows]. */
export interface Selection {
  readonly rows: number;
  readonly kept: Int32Array;
}

/**
 * Conserves the `recent` last positions and, before them, the `important` best-scored ones. Where a prior prefers
 * tokens, those come first and, as in the release, all of them stay even beyond the budget, so that
 * rows = recent + max(important, preferred tokens before the window).
 * Source: modify_llama.py, H2OKVCache_LayerWise and text_prior_h2o.
 *
 * @param scores [heads, length]
 * @param preferred [length] or null when no prior is used
 */
export function selectRecentAndImportant(
  layer: LayerInput,
  budget: RowBudget,
  scores: Float32Array,
  preferred: Uint8Array | null,
): Selection {
  const { heads, length } = layer;
  const window = Math.max(0, length - budget.recent);
  let always = 0;
  if (preferred !== null) for (let i = 0; i < window; i++) always += preferred[i]!;
  const free = Math.max(0, budget.important - always);
  const eligible = preferred === null ? null : preferred.map((flag) => 1 - flag);
  const rows = length - window + always + Math.min(free, window - always);
  const kept = new Int32Array(heads * rows);
  const chosen = new Uint8Array(window);
  const scratch = new Float32Array(window);
  for (let head = 0; head < heads; head++) {
    if (preferred === null) chosen.fill(0);
    else chosen.set(preferred.subarray(0, window));
    markLargest({
      scores,
      from: 0,
      to: window,
      offset: head * length,
      count: free,
      eligible,
      chosen,
      scratch,
    });
    let row = head * rows;
    for (let i = 0; i < window; i++) if (chosen[i] === 1) kept[row++] = i;
    for (let i = window; i < length; i++) kept[row++] = i;
  }
  return { rows, kept };
}
