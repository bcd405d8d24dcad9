import type { FloatBuffers, Int8Buffers } from '../core/cache-buffers.js';
import type { RowBudget } from './row-budget.js';

/** Why a layer has the rows it has. */
export type Outcome =
  | { readonly kind: 'compressed' }
  | {
      readonly kind: 'unchanged';
      readonly reason: 'full cache' | 'no image in the prompt' | 'prompt within budget' | 'zero budget';
    };

/** What is known of the rows of one layer whatever their element type. */
interface KeptRows {
  readonly rows: number;
  /** Rows allocated per head, at least `rows`. */
  readonly capacity: number;
  /** [heads, rows]: prompt position of every conserved row, in cache order. */
  readonly kept: Int32Array;
  /** What merging did; absent where the method only evicts or nothing was evicted. */
  readonly merged?: MergeTrace;
}

/** The rows of one layer as evicting and merging left them. Cells whose policies do the same to it share one. */
export type CacheRows = KeptRows & FloatBuffers;

/** The same, quantised. */
export type QuantisedRows = KeptRows & Int8Buffers;

/** Which conserved row is nearest to each evicted token. */
export interface MergeTrace {
  /** [heads, evicted]: evicted prompt positions, ascending. */
  readonly evicted: Int32Array;
  /** [heads, evicted]: row of the cache whose key is nearest; a merge rule may pass over some of the tokens. */
  readonly targets: Int32Array;
}

/** What one cell made of a layer. */
export interface CompressedLayer<Cache = CacheRows | QuantisedRows> {
  readonly outcome: Outcome;
  /** The rows that decoding starts from. */
  readonly cache: Cache;
  /** Rows that the budget allows in this layer. */
  readonly nominal: RowBudget;
  /** What a reader must know of the policy on this prompt, or null. */
  readonly remark: string | null;
  /**
   * Milliseconds of every step behind it. Steps that other cells share count in full for each, as if the cell were
   * alone.
   */
  readonly milliseconds: number;
}
