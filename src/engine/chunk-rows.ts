import { invariant } from '../core/errors.js';
import type { FloatPool } from '../core/float-pool.js';
import { type Chunk, chunkPlan } from './chunk-plan.js';
import { floatData, floats, type Graph, int64s, type Tensor } from './runtime.js';

/** Numbers of the widest intermediate of a segment: 8 MiB of float32. */
const mostIntermediates = 2 * 2 ** 20;

/**
 * Rows that a segment of a model takes at once. Products are as fast with these as with more, and what lies between them
 * stays so small that the allocator has it at hand for the next run.
 */
export function segmentRows({ intermediateSize }: { readonly intermediateSize: number }): number {
  return 2 ** Math.max(4, Math.floor(Math.log2(mostIntermediates / intermediateSize)));
}

/** Q, K and V of a chunk: [1, count, heads * headDim], rotary embedding applied. */
export interface Projections {
  readonly query: Tensor;
  readonly key: Tensor;
  readonly value: Tensor;
}

interface Piece extends Chunk {
  /** int64 [1, count]. */
  readonly positions: Tensor;
  /** [1, count, hiddenSize]. */
  hidden: Tensor;
}

/** The rows of a chunk on their way through the layers: a piece at a time through a segment, all at once through attention. */
export class ChunkRows {
  readonly chunk: Chunk;
  readonly #pool: FloatPool;
  readonly #pieces: readonly Piece[];
  /** [count, heads * headDim], of the layer before the next segment. */
  #attention: Float32Array | null = null;
  #borrowed: Float32Array[] = [];

  /** @param embeddings those of the whole prompt, [length, hiddenSize] */
  constructor(
    chunk: Chunk,
    embeddings: Float32Array,
    {
      hiddenSize,
      rows,
      pool,
    }: { readonly hiddenSize: number; readonly rows: number; readonly pool: FloatPool },
  ) {
    this.chunk = chunk;
    this.#pool = pool;
    this.#pieces = chunkPlan(chunk.count, [], rows).map((piece) => {
      const first = chunk.start + piece.start;
      const own = embeddings.subarray(first * hiddenSize, (first + piece.count) * hiddenSize);
      const positions = Array.from({ length: piece.count }, (_, i) => first + i);
      return {
        ...piece,
        positions: int64s(positions, [1, piece.count]),
        hidden: floats(own, [1, piece.count, hiddenSize]),
      };
    });
  }

  /** Passes the segment before a layer's attention. The result is valid until `attended`. */
  async project(segment: Graph): Promise<Projections> {
    const results: Projections[] = [];
    for (const piece of this.#pieces) {
      const { hidden, positions } = piece;
      const result = await segment.run({ hidden, positions, ...this.#attentionOf(piece) });
      piece.hidden = result['hidden_out'] ?? hidden;
      results.push({ query: result['q']!, key: result['k']!, value: result['v']! });
    }
    const [only, ...more] = results;
    if (more.length === 0) return only!;
    const join = (of: (projections: Projections) => Tensor): Tensor => this.#join(results.map(of));
    return {
      query: join(({ query }) => query),
      key: join(({ key }) => key),
      value: join(({ value }) => value),
    };
  }

  /** Takes what attention made of the projections: [1, count, heads * headDim]. */
  attended(attention: Tensor): void {
    this.#attention = floatData(attention);
    for (const array of this.#borrowed.splice(0)) this.#pool.give(array);
  }

  /** Logits [count, vocabSize] of a chunk of few rows, from the segment behind the last layer. */
  async logits(segment: Graph): Promise<Float32Array> {
    const [piece, ...more] = this.#pieces;
    invariant(piece !== undefined && more.length === 0, 'logits are computed of few rows');
    const result = await segment.run({ hidden: piece.hidden, ...this.#attentionOf(piece) });
    return floatData(result['logits']!);
  }

  #attentionOf({ start, count }: Piece): { readonly attention?: Tensor } {
    if (this.#attention === null) return {};
    const width = this.#attention.length / this.chunk.count;
    const own = this.#attention.subarray(start * width, (start + count) * width);
    return { attention: floats(own, [1, count, width]) };
  }

  #join(tensors: readonly Tensor[]): Tensor {
    const parts = tensors.map(floatData);
    const all = this.#pool.take(parts.reduce((length, part) => length + part.length, 0));
    this.#borrowed.push(all);
    let next = 0;
    for (const part of parts) {
      all.set(part, next);
      next += part.length;
    }
    return floats(all, [1, this.chunk.count, all.length / this.chunk.count]);
  }
}
