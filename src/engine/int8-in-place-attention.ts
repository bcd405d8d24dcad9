import { invariant } from '../core/errors.js';
import { GraphBuilder } from '../onnx/graph-builder.js';
import type { DecodeAttention } from './decode-attention.js';
import type { AttentionShape } from './prefill-chunk.js';
import type { Runtime } from './runtime.js';
import { scaledHeads } from './scaled-heads.js';

/**
 * GroupQueryAttention on int8 rows, which it reads as they are and to which it adds the new ones, rounded, in place. Its
 * own factor is 1; those of the channels are multiplied in outside: into the query for keys, into the attention for
 * values. That is as exact and faster than its own factors a channel. For native sessions.
 */
export async function openInt8InPlaceAttention(
  runtime: Runtime,
  shape: AttentionShape,
  threads = runtime.threads,
): Promise<DecodeAttention> {
  const { heads, kvHeads, headDim } = shape;
  const graph = new GraphBuilder();
  graph.input('query', 'f32', ['B', 1, heads * headDim]);
  for (const name of ['key', 'value', 'inverse_keys', 'inverse_values']) {
    graph.input(name, 'f32', ['B', 1, kvHeads * headDim]);
  }
  for (const name of ['key_scales', 'value_scales']) graph.input(name, 'f32', ['B', kvHeads, 1, headDim]);
  for (const name of ['past_keys', 'past_values']) graph.input(name, 'i8', ['B', kvHeads, 'M', headDim]);
  graph.input('last_rows', 'i32', ['B']);
  graph.input('most_rows', 'i32', [1]);
  const one = graph.initializer('one', 'f32', [1], Float32Array.of(1));
  const absent = ['', '', '', '', ''];
  graph.microsoftMulti(
    'GroupQueryAttention',
    [
      scaledHeads(graph, 'query', 'key_scales', shape),
      graph.op('Mul', ['key', 'inverse_keys']),
      graph.op('Mul', ['value', 'inverse_values']),
      ...['past_keys', 'past_values', 'last_rows', 'most_rows', ...absent, one, one],
    ],
    ['attended', 'present_keys', 'present_values'],
    {
      ...{ num_heads: heads, kv_num_heads: kvHeads, kv_cache_bit_width: 8 },
      ...{ k_quant_type: 'PER_TENSOR', v_quant_type: 'PER_TENSOR' },
    },
  );
  scaledHeads(graph, 'attended', 'value_scales', shape, 'attention');
  graph.output('attention', 'f32', ['B', 1, heads * headDim]);
  for (const name of ['present_keys', 'present_values']) {
    graph.output(name, 'i8', ['B', kvHeads, 'M', headDim]);
  }
  const kernel = await runtime.open(graph.bytes(), { threads });
  return async ({ query, key, value, active, attention }, cache) => {
    for (let sequence = 0; sequence < cache.sequences; sequence++) {
      if (active?.[sequence] !== false) cache.reserve(sequence);
    }
    const { keys, values, scales, lastRows, mostRows } = cache.feeds;
    invariant(scales !== null, 'int8 attention is given float32 rows');
    const result = await kernel.run(
      {
        ...{ query, key, value, past_keys: keys, past_values: values },
        ...{ last_rows: lastRows, most_rows: mostRows },
        ...{ key_scales: scales.keys, value_scales: scales.values },
        ...{ inverse_keys: scales.inverseKeys, inverse_values: scales.inverseValues },
      },
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
