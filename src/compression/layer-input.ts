import type { AttentionStatistics } from '../core/attention-statistics.js';
import type { LayerRows } from '../core/layer-rows.js';

/**
 * One decoder layer of a finished prefill, as compression sees it. Rows `length..capacity-1` of `keys` and
 * `values` are not part of the prompt seen by compression (the `cache` first-token protocol leaves the last
 * prompt token out).
 */
export interface LayerInput extends LayerRows {
  /** This layer, counted from 0, and how many there are. */
  readonly layer: number;
  readonly layers: number;
  /** [length], 1 where the position is an image token. */
  readonly modality: Uint8Array;
  readonly statistics: AttentionStatistics;
  /** What random rules draw from: the same for all layers of a prompt. */
  readonly seed: number;
}
