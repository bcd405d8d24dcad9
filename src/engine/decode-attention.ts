import { GraphBuilder } from '../onnx/graph-builder.js';
import type { LayerCache } from './layer-cache.js';
import type { AttentionShape } from './prefill-chunk.js';
import { floatData, type Runtime, type Tensor } from './runtime.js';
import { attendUnfused } from './unfused-attention.js';

/** Queries, keys and values of the next token of n sequences. */
export interface DecodeRows {
  /** [n, 1, heads * headDim], rotary embedding applied. */
  readonly query: Tensor;
  /** [n, 1, kvHeads * headDim]. */
  readonly key: Tensor;
  /** [n, 1, kvHeads * headDim]. */
  readonly value: Tensor;
  /** Which sequences go on, all by default. The attention of others means nothing, and they lose their last row. */
  readonly active?: readonly boolean[];
  /** Where the attention may be written. */
  readonly attention?: Tensor;
}

/**
 * Appends the rows to the caches of their sequences and attends to all rows there.
 *
 * @returns attention [n, 1, heads * headDim]
 */
export type DecodeAttention = (rows: DecodeRows, cache: LayerCache) => Promise<Tensor>;

/** Attention as products; see `attendUnfused`. */
export async function openDecodeAttention(
  runtime: Runtime,
  shape: AttentionShape,
  threads = runtime.threads,
): Promise<DecodeAttention> {
  const { heads, kvHeads, headDim } = shape;
  const graph = new GraphBuilder();
  graph.input('query', 'f32', ['B', 1, heads * headDim]);
  graph.input('keys', 'f32', ['B', kvHeads, 'M', headDim]);
  graph.input('values', 'f32', ['B', kvHeads, 'M', headDim]);
  graph.input('mask', 'f32', ['B', 1, 1, 'M']);
  attendUnfused(graph, shape, { query: 'query', keys: 'keys', values: 'values', mask: 'mask' }, 'attention');
  graph.output('attention', 'f32', ['B', 1, heads * headDim]);
  const kernel = await runtime.open(graph.bytes(), { threads });
  return async ({ query, key, value, active, attention }, cache) => {
    const [newKeys, newValues] = [floatData(key), floatData(value)];
    for (let sequence = 0; sequence < cache.sequences; sequence++) {
      if (active?.[sequence] === false) continue;
      cache.append(newKeys, newValues, sequence, sequence * kvHeads * headDim);
    }
    const { keys, values, mask } = cache.feeds;
    const into = attention === undefined ? {} : { into: { attention } };
    const result = await kernel.run({ query, keys, values, mask }, into);
    return result['attention']!;
  };
}
