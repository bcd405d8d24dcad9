import type { GraphBuilder } from '../onnx/graph-builder.js';
import type { AttentionShape } from './prefill-chunk.js';

/**
 * Multiplies rows [B, 1, heads * headDim] of query heads by factors [B, kvHeads, 1, headDim], which the query heads of a
 * group share.
 */
export function scaledHeads(
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
