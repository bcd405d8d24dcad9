import type { GraphBuilder } from '../onnx/graph-builder.js';
import type { AttentionShape } from './prefill-chunk.js';

/**
 * Attention of one query a sequence as products, with the keys as the left operand, the form that reads them at memory
 * speed (the usual query-times-keys order is 30-70 % slower). Rows beyond the used ones are masked, so buffers can have
 * slack.
 *
 * @param operands query [B, 1, heads * headDim], keys and values [B, kvHeads, M, headDim], mask [B, 1, 1, M]
 * @returns attention [B, 1, heads * headDim]
 */
export function attendUnfused(
  graph: GraphBuilder,
  { heads, kvHeads, headDim }: AttentionShape,
  operands: Readonly<Record<'query' | 'keys' | 'values' | 'mask', string>>,
  output?: string,
): string {
  const { query, keys, values, mask } = operands;
  const group = heads / kvHeads;
  const scaled = graph.op('Mul', [query, graph.float(1 / Math.sqrt(headDim))]);
  const reshaped = (value: string, dims: readonly number[]): string =>
    graph.op('Reshape', [value, graph.ints(dims)]);
  const swapped = (value: string): string => graph.op('Transpose', [value], { perm: [0, 1, 3, 2] });
  const scores =
    group === 1
      ? reshaped(graph.op('MatMul', [keys, reshaped(scaled, [-1, kvHeads, headDim, 1])]), [0, kvHeads, 1, -1])
      : swapped(graph.op('MatMul', [keys, swapped(reshaped(scaled, [-1, kvHeads, group, headDim]))]));
  const weights = graph.op('Softmax', [graph.op('Add', [scores, mask])], { axis: -1 });
  const mixed = graph.op('MatMul', [weights, values]);
  return graph.op('Reshape', [mixed, graph.ints([-1, 1, heads * headDim])], {}, output);
}
