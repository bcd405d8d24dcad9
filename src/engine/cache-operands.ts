import type { CacheType } from '../core/cache-buffers.js';
import type { GraphBuilder } from '../onnx/graph-builder.js';
import type { CacheFeeds } from './layer-cache.js';
import type { AttentionShape } from './prefill-chunk.js';
import type { Feeds } from './sessions.js';

/** ONNX's element types of rows. */
export const rowElements = { float32: 'f32', int8: 'i8' } as const;

/** What attention is multiplied by to make up for rows that are not: nothing for float32 rows. */
export interface OutsideScales {
  /** The query, [B, 1, heads * headDim], with the factors of the keys in it. */
  readonly query: string;
  /** What attention is to be called before `finish`. */
  readonly attended: string;
  /** Multiplies the factors of the values into the attention, [B, 1, heads * headDim]. */
  finish(): void;
  /** The factors of a cache as the graph takes them. */
  feeds(cache: CacheFeeds): Feeds;
}

/**
 * Declares the query of a graph and, for int8 rows, the factors of their channels: they are multiplied into the query and
 * into the attention, so that kernels see plain integers. The graph's result is called `attention`.
 */
export function scaleOutside(graph: GraphBuilder, shape: AttentionShape, type: CacheType): OutsideScales {
  const { heads, kvHeads, headDim } = shape;
  graph.input('query', 'f32', ['B', 1, heads * headDim]);
  graph.output('attention', 'f32', ['B', 1, heads * headDim]);
  if (type === 'float32') {
    return { query: 'query', attended: 'attention', finish() {}, feeds: () => ({}) };
  }
  for (const name of ['key_scales', 'value_scales']) graph.input(name, 'f32', ['B', kvHeads, 1, headDim]);
  return {
    query: scaledHeads(graph, 'query', 'key_scales', shape),
    attended: 'attended',
    finish: () => void scaledHeads(graph, 'attended', 'value_scales', shape, 'attention'),
    feeds: ({ scales }) => (scales === null ? {} : { key_scales: scales.keys, value_scales: scales.values }),
  };
}

/** Rows [B, 1, heads * headDim] times factors [B, kvHeads, 1, headDim], which the query heads of a group share. */
function scaledHeads(
  graph: GraphBuilder,
  rows: string,
  scales: string,
  { heads, kvHeads, headDim }: AttentionShape,
  output?: string,
): string {
  const grouped = graph.op('Reshape', [rows, graph.ints([-1, kvHeads, heads / kvHeads, headDim])]);
  const scaled = graph.op('Mul', [grouped, scales]);
  return graph.op('Reshape', [scaled, graph.ints([-1, 1, heads * headDim])], {}, output);
}
