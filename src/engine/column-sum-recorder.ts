import { invariant } from '../core/errors.js';

/**
 * Collects the column sums of the chunks of one layer. A statistic over a prefix of the queries is the sum of
 * whole chunks, so the chunk plan puts a boundary wherever one is needed and nothing is ever subtracted.
 */
export class ColumnSumRecorder {
  readonly #kvHeads: number;
  readonly #group: number;
  readonly #chunks: { readonly end: number; readonly sums: Float32Array }[] = [];
  readonly #known = new Map<number, Float32Array>();

  constructor(options: { heads: number; kvHeads: number }) {
    this.#kvHeads = options.kvHeads;
    this.#group = options.heads / options.kvHeads;
  }

  /** @param sums [heads, end]: weights of the chunk's queries, the last of which is `end - 1` */
  add(end: number, sums: Float32Array): void {
    this.#chunks.push({ end, sums });
  }

  /**
   * Weights summed over the queries `0..queries-1`, averaged over the query heads of each key/value head:
   * [kvHeads, queries]. `queries` must be a chunk boundary.
   */
  columnSums(queries: number): Float32Array {
    const known = this.#known.get(queries);
    if (known !== undefined) return known;
    const totals = new Float64Array(this.#kvHeads * queries);
    let reached = 0;
    for (const { end, sums } of this.#chunks) {
      if (end > queries) break;
      reached = end;
      for (let head = 0; head < this.#kvHeads * this.#group; head++) {
        const to = Math.floor(head / this.#group) * queries;
        const from = head * end;
        for (let i = 0; i < end; i++) totals[to + i]! += sums[from + i]!;
      }
    }
    invariant(reached === queries, `no prefill chunk ends at query ${queries}`);
    const result = new Float32Array(totals.length);
    for (let i = 0; i < totals.length; i++) result[i] = totals[i]! / this.#group;
    this.#known.set(queries, result);
    return result;
  }
}
