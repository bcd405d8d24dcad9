import { GraphBuilder } from '../onnx/graph-builder.js';
import { floatData, floats, int32s, int64s, type Runtime, type Tensor } from './runtime.js';

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
  /** [kvHeads, capacity, headDim]; rows 0..start+count-1 are filled. */
  readonly keys: Float32Array;
  readonly values: Float32Array;
  readonly capacity: number;
}

export interface PrefillAttentionResult {
  /** [1, count, heads * headDim]. */
  readonly attention: Tensor;
  /** Softmax weights summed over the chunk's queries: [heads, start + count]. */
  readonly columnSums: Float32Array;
}

/** Causal attention of a chunk over everything before it, with the column sums of its weights. */
export type PrefillAttention = (chunk: PrefillChunk) => Promise<PrefillAttentionResult>;

/** GroupQueryAttention refuses other head sizes. */
const groupedHeadMultiple = 8;

/** The fastest kernel that runs for this shape. */
export async function openPrefillAttention(
  runtime: Runtime,
  shape: AttentionShape,
): Promise<PrefillAttention> {
  return shape.headDim % groupedHeadMultiple === 0
    ? openGroupedAttention(runtime, shape)
    : openUnfusedAttention(runtime, shape);
}

/**
 * GroupQueryAttention that also returns its softmax weights, summed inside the graph so that nothing of size
 * queries x keys leaves it. The `present` outputs are not fetched: the JavaScript buffers stay the cache.
 */
export async function openGroupedAttention(
  runtime: Runtime,
  shape: AttentionShape,
): Promise<PrefillAttention> {
  const { heads, kvHeads, headDim } = shape;
  const graph = new GraphBuilder();
  graph.input('query', 'f32', [1, 'S', heads * headDim]);
  graph.input('key', 'f32', [1, 'S', kvHeads * headDim]);
  graph.input('value', 'f32', [1, 'S', kvHeads * headDim]);
  graph.input('past_keys', 'f32', [1, kvHeads, 'M', headDim]);
  graph.input('past_values', 'f32', [1, kvHeads, 'M', headDim]);
  graph.input('last_position', 'i32', [1]);
  graph.input('total', 'i32', [1]);
  graph.microsoftMulti(
    'GroupQueryAttention',
    ['query', 'key', 'value', 'past_keys', 'past_values', 'last_position', 'total'],
    ['attention', 'present_keys', 'present_values', 'weights'],
    { num_heads: heads, kv_num_heads: kvHeads, qk_output: weightsAfterSoftmax },
  );
  graph.op('ReduceSum', ['weights', graph.ints([2])], { keepdims: 0 }, 'column_sums');
  graph.output('attention', 'f32', [1, 'S', heads * headDim]);
  graph.output('column_sums', 'f32', [1, heads, 'T']);
  const kernel = await runtime.open(graph.bytes());
  return async (chunk) => {
    const past = [1, kvHeads, chunk.capacity, headDim];
    const total = chunk.start + chunk.count;
    const result = await kernel.run({
      query: chunk.query,
      key: chunk.key,
      value: chunk.value,
      past_keys: floats(chunk.keys, past),
      past_values: floats(chunk.values, past),
      last_position: int32s([total - 1], [1]),
      total: int32s([total], [1]),
    });
    return { attention: result['attention']!, columnSums: floatData(result['column_sums']!) };
  };
}

/** `qk_output` of GroupQueryAttention: 2 = the weights after softmax. */
const weightsAfterSoftmax = 2;

/** MatMul, softmax, MatMul: runs for every head size and is the reference the grouped kernel is tested against. */
export async function openUnfusedAttention(
  runtime: Runtime,
  shape: AttentionShape,
): Promise<PrefillAttention> {
  const { heads, kvHeads, headDim } = shape;
  const group = heads / kvHeads;
  const graph = new GraphBuilder();
  graph.input('query', 'f32', [1, 'S', heads * headDim]);
  graph.input('keys', 'f32', [kvHeads, 'M', headDim]);
  graph.input('values', 'f32', [kvHeads, 'M', headDim]);
  graph.input('total', 'i64', [1]);
  graph.input('mask', 'f32', ['S', 'T']);
  const split = graph.op('Reshape', ['query', graph.ints([-1, kvHeads, group, headDim])]);
  const queries = graph.op('Transpose', [split], { perm: [1, 2, 0, 3] });
  const used = (name: string): string => {
    const rows = graph.op('Slice', [name, graph.ints([0]), 'total', graph.ints([1])]);
    return graph.op('Unsqueeze', [rows, graph.ints([1])]);
  };
  const scores = graph.microsoft('FusedMatMul', [queries, used('keys')], {
    transB: 1,
    alpha: { float: 1 / Math.sqrt(headDim) },
  });
  const weights = graph.op('Softmax', [graph.op('Add', [scores, 'mask'])], { axis: -1 });
  const sums = graph.op('ReduceSum', [weights, graph.ints([2])], { keepdims: 0 });
  graph.op('Reshape', [sums, graph.ints([1, heads, -1])], {}, 'column_sums');
  const mixed = graph.op('Transpose', [graph.op('MatMul', [weights, used('values')])], {
    perm: [2, 0, 1, 3],
  });
  graph.op('Reshape', [mixed, graph.ints([1, -1, heads * headDim])], {}, 'attention');
  graph.output('attention', 'f32', [1, 'S', heads * headDim]);
  graph.output('column_sums', 'f32', [1, heads, 'T']);
  const kernel = await runtime.open(graph.bytes());
  return async (chunk) => {
    const buffer = [kvHeads, chunk.capacity, headDim];
    const total = chunk.start + chunk.count;
    const result = await kernel.run({
      query: chunk.query,
      keys: floats(chunk.keys, buffer),
      values: floats(chunk.values, buffer),
      total: int64s([total], [1]),
      mask: causalMask(chunk.start, chunk.count),
    });
    return { attention: result['attention']!, columnSums: floatData(result['column_sums']!) };
  };
}

/** [count, start + count]: 0 where a query may look, a large negative number where it may not. */
function causalMask(start: number, count: number): Tensor {
  const total = start + count;
  const mask = new Float32Array(count * total);
  for (let row = 0; row < count; row++) mask.fill(-1e30, row * total + start + row + 1, (row + 1) * total);
  return floats(mask, [count, total]);
}
