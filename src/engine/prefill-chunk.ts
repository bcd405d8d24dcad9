import type { StatisticNeeds } from '../core/attention-statistics.js';
import type { ChunkStatistics } from './attention-recorder.js';
import type { Tensor } from './runtime.js';

/** Head counts and size of the attention of one model. */
export interface AttentionShape {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
}

/** One chunk of queries of a layer. */
export interface PrefillChunk {
  /** Position of the first query; rows before it are already in the buffers. */
  readonly start: number;
  readonly count: number;
  /** [1, count, heads * headDim], rotary embedding applied. */
  readonly query: Tensor;
  /** [1, count, kvHeads * headDim]. */
  readonly key: Tensor;
  /** [1, count, kvHeads * headDim]. */
  readonly value: Tensor;
  /** [kvHeads, capacity, headDim]; the rows before `start` are filled, those of the chunk will be. */
  readonly keys: Float32Array;
  readonly values: Float32Array;
  readonly capacity: number;
  /** What to record beyond the column sums; windows may lie outside the chunk. */
  readonly needs: StatisticNeeds;
}

export interface PrefillAttentionResult {
  /** [1, count, heads * headDim]. */
  readonly attention: Tensor;
  readonly statistics: ChunkStatistics;
}

/** Adds a chunk to the rows before it: causal attention over both, with statistics of its weights. */
export type PrefillAttention = (chunk: PrefillChunk) => Promise<PrefillAttentionResult>;
