import { GraphBuilder } from '../onnx/graph-builder.js';
import type { DecodeAttention } from './decode-attention.js';
import type { AttentionShape } from './prefill-chunk.js';
import type { Runtime } from './runtime.js';

/**
 * GroupQueryAttention that writes the new rows into the cache it reads. It visits used rows only, whatever slack the
 * buffers have. For native sessions: where outputs are copied, each step would copy the cache.
 */
export async function openInPlaceDecodeAttention(
  runtime: Runtime,
  shape: AttentionShape,
  threads = runtime.threads,
): Promise<DecodeAttention> {
  const { heads, kvHeads, headDim } = shape;
  const graph = new GraphBuilder();
  graph.input('query', 'f32', ['B', 1, heads * headDim]);
  graph.input('key', 'f32', ['B', 1, kvHeads * headDim]);
  graph.input('value', 'f32', ['B', 1, kvHeads * headDim]);
  for (const name of ['past_keys', 'past_values']) graph.input(name, 'f32', ['B', kvHeads, 'M', headDim]);
  graph.input('last_rows', 'i32', ['B']);
  graph.input('most_rows', 'i32', [1]);
  graph.microsoftMulti(
    'GroupQueryAttention',
    ['query', 'key', 'value', 'past_keys', 'past_values', 'last_rows', 'most_rows'],
    ['attention', 'present_keys', 'present_values'],
    { num_heads: heads, kv_num_heads: kvHeads },
  );
  graph.output('attention', 'f32', ['B', 1, heads * headDim]);
  for (const name of ['present_keys', 'present_values'])
    graph.output(name, 'f32', ['B', kvHeads, 'M', headDim]);
  const kernel = await runtime.open(graph.bytes(), { threads });
  return async ({ query, key, value, active, attention }, cache) => {
    for (let sequence = 0; sequence < cache.sequences; sequence++) {
      if (active?.[sequence] !== false) cache.reserve(sequence);
    }
    const { keys, values, lastRows, mostRows } = cache.feeds;
    const result = await kernel.run(
      { query, key, value, past_keys: keys, past_values: values, last_rows: lastRows, most_rows: mostRows },
      {
        into: {
          present_keys: keys,
          present_values: values,
          ...(attention === undefined ? {} : { attention }),
        },
      },
    );
    return result['attention']!;
  };
}
