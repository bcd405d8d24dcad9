/** Why a layer has the rows it has. */
export type Outcome =
  | { readonly kind: 'compressed' }
  | {
      readonly kind: 'unchanged';
      readonly reason: 'full cache' | 'no image in the prompt' | 'prompt within budget' | 'zero budget';
    };

/** The rows of one layer that decoding starts from. */
export interface CompressedLayer {
  readonly outcome: Outcome;
  readonly rows: number;
  /** Rows allocated per head, at least `rows`. */
  readonly capacity: number;
  /** [heads, capacity, headDim]. */
  readonly keys: Float32Array;
  /** [heads, capacity, headDim]. */
  readonly values: Float32Array;
  /** [heads, rows]: prompt position of every conserved row, in cache order. */
  readonly kept: Int32Array;
  /** What merging did; absent where the method only evicts or nothing was evicted. */
  readonly merged?: MergeTrace;
}

/** Which conserved row took up each evicted token. */
export interface MergeTrace {
  /** [heads, evicted]: evicted prompt positions, ascending. */
  readonly evicted: Int32Array;
  /** [heads, evicted]: row of the cache that the token was merged into. */
  readonly targets: Int32Array;
}
