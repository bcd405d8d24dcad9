import { type AttentionStatistics, type QueryRange, rangeKey } from '../core/attention-statistics.js';
import { invariant } from '../core/errors.js';

/** Statistics of the attention weights of one chunk of queries, the last of which is `end - 1`. */
export interface ChunkStatistics {
  readonly end: number;
  /** [heads, end]. */
  readonly sums: Float32Array;
  /** [heads, end], where squares were asked for. */
  readonly squares: Float32Array | null;
  /** The windows that the chunk touches, and their sums over its queries: [heads, windows, end]. */
  readonly windows: readonly QueryRange[];
  readonly windowSums: Float32Array | null;
}

/** Numbers of one statistic of one chunk: [heads, end] from `offset` on, heads `stride` apart. */
interface Part {
  readonly end: number;
  readonly data: Float32Array;
  readonly offset: number;
  readonly stride: number;
}

/**
 * Collects the statistics of the chunks of one layer. A sum over a prefix of the queries is the sum of whole chunks,
 * so the chunk plan puts a boundary wherever one is needed and nothing is ever subtracted.
 */
export class AttentionRecorder implements AttentionStatistics {
  readonly #kvHeads: number;
  readonly #group: number;
  readonly #chunks: ChunkStatistics[] = [];
  readonly #known = new Map<string, Float32Array>();

  constructor(options: { heads: number; kvHeads: number }) {
    this.#kvHeads = options.kvHeads;
    this.#group = options.heads / options.kvHeads;
  }

  add(chunk: ChunkStatistics): void {
    this.#chunks.push(chunk);
  }

  columnSums(queries: number): Float32Array {
    return this.#remember(`sums ${queries}`, queries, () => this.#prefix(queries, ({ sums }) => sums));
  }

  columnSquares(queries: number): Float32Array {
    return this.#remember(`squares ${queries}`, queries, () =>
      this.#prefix(queries, ({ squares }) => {
        invariant(squares !== null, 'squared weights were not recorded');
        return squares;
      }),
    );
  }

  windowSums(range: QueryRange): Float32Array {
    return this.#remember(`window ${rangeKey(range)}`, range.to, () => this.#window(range));
  }

  #remember(name: string, width: number, parts: () => Part[]): Float32Array {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const result = this.#averaged(width, parts());
    this.#known.set(name, result);
    return result;
  }

  #prefix(queries: number, dataOf: (chunk: ChunkStatistics) => Float32Array): Part[] {
    const chunks = this.#chunks.filter(({ end }) => end <= queries);
    invariant(chunks.at(-1)?.end === queries, `no prefill chunk ends at query ${queries}`);
    return chunks.map((chunk) => ({ end: chunk.end, data: dataOf(chunk), offset: 0, stride: chunk.end }));
  }

  #window(range: QueryRange): Part[] {
    const parts: Part[] = [];
    for (const { end, windows, windowSums } of this.#chunks) {
      const index = windows.findIndex(({ from, to }) => from === range.from && to === range.to);
      if (index < 0 || windowSums === null) continue;
      parts.push({ end, data: windowSums, offset: index * end, stride: windows.length * end });
    }
    invariant(parts.length > 0, `the window ${rangeKey(range)} was not recorded`);
    return parts;
  }

  /** Sums the parts and averages the query heads of each key/value head: [kvHeads, width]. */
  #averaged(width: number, parts: readonly Part[]): Float32Array {
    const totals = new Float64Array(this.#kvHeads * width);
    for (const { end, data, offset, stride } of parts) {
      const columns = Math.min(end, width);
      for (let head = 0; head < this.#kvHeads * this.#group; head++) {
        const to = Math.floor(head / this.#group) * width;
        const from = head * stride + offset;
        for (let i = 0; i < columns; i++) totals[to + i]! += data[from + i]!;
      }
    }
    const result = new Float32Array(totals.length);
    for (let i = 0; i < totals.length; i++) result[i] = totals[i]! / this.#group;
    return result;
  }
}
