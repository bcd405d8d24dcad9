/** Rows of keys, head by head. */
export interface KeyRows {
  readonly rows: number;
  /** [heads, rows, headDim]. */
  readonly data: Float32Array;
}

/**
 * For every evicted key the conserved key of highest cosine similarity in the same head, as a row number: [heads,
 * evicted.rows]. The lowest row wins ties, but equal keys may differ by rounding in the product; a key without length is
 * similar to nothing (0). Passed into
 * compression so that the search can run where matrix products are fast.
 */
export type NearestKeySearch = (options: {
  readonly heads: number;
  readonly headDim: number;
  readonly evicted: KeyRows;
  readonly conserved: KeyRows;
}) => Promise<Int32Array>;
