import { GraphBuilder } from '../onnx/graph-builder.js';
import type { LayerCache } from './layer-cache.js';
import type { AttentionShape } from './prefill-attention.js';
import type { Runtime, Tensor } from './runtime.js';

/** Attention of one query over a compressed cache: [1, 1, heads * headDim] in and out. */
export type DecodeAttention = (query: Tensor, cache: LayerCache) => Promise<Tensor>;

/**
 * Unfused attention with the keys as the left operand, the form that reads the cache at memory speed (the usual
 * query-times-keys order is 30-70 % slower). Rows beyond the used ones are masked, so buffers can have slack.
 */
export async function openDecodeAttention(runtime: Runtime, shape: AttentionShape): Promise<DecodeAttention> {
  const { heads, kvHeads, headDim } = shape;
  const group = heads / kvHeads;
  const graph = new GraphBuilder();
  graph.input('query', 'f32', [1, 1, heads * headDim]);
  graph.input('keys', 'f32', [kvHeads, 'M', headDim]);
  graph.input('values', 'f32', [kvHeads, 'M', headDim]);
  graph.input('mask', 'f32', [1, 'M']);
  const scaled = graph.op('Mul', ['query', graph.float(1 / Math.sqrt(headDim))]);
  const scores =
    group === 1
      ? graph.op('Reshape', [
          graph.op('MatMul', ['keys', graph.op('Reshape', [scaled, graph.ints([kvHeads, headDim, 1])])]),
          graph.ints([kvHeads, 1, -1]),
        ])
      : graph.op(
          'Transpose',
          [
            graph.op('MatMul', [
              'keys',
              graph.op('Transpose', [graph.op('Reshape', [scaled, graph.ints([kvHeads, group, headDim])])], {
                perm: [0, 2, 1],
              }),
            ]),
          ],
          { perm: [0, 2, 1] },
        );
  const weights = graph.op('Softmax', [graph.op('Add', [scores, 'mask'])], { axis: -1 });
  const mixed = graph.op('MatMul', [weights, 'values']);
  graph.op('Reshape', [mixed, graph.ints([1, 1, heads * headDim])], {}, 'attention');
  graph.output('attention', 'f32', [1, 1, heads * headDim]);
  const kernel = await runtime.open(graph.bytes());
  return async (query, cache) => {
    const result = await kernel.run({ query, ...cache.feeds });
    return result['attention']!;
  };
}
