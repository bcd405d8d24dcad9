/** K and V of one layer, head-major. */
export interface LayerRows {
  /** Key/value heads. */
  readonly heads: number;
  readonly headDim: number;
  /** Rows in use. */
  readonly length: number;
  /** Rows allocated per head in `keys` and `values`. */
  readonly capacity: number;
  /** [heads, capacity, headDim], rotary embedding applied. */
  readonly keys: Float32Array;
  /** [heads, capacity, headDim]. */
  readonly values: Float32Array;
}
