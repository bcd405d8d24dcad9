import type { CacheType } from '../core/cache-buffers.js';
import { GraphBuilder } from '../onnx/graph-builder.js';
import { rowElements, scaleOutside } from './cache-operands.js';
import type { DecodeAttention } from './decode-attention.js';
import type { CacheFeeds } from './layer-cache.js';
import type { AttentionShape } from './prefill-chunk.js';
import type { Runtime } from './runtime.js';
import type { Feeds } from './sessions.js';

/**
 * GroupQueryAttention that writes the new rows into the cache it reads. It visits used rows only, whatever slack the
 * buffers have. For native sessions: where outputs are copied, each step would copy the cache.
 *
 * int8 rows are read as they are, and new ones rounded, by the operator's own factor of 1: with those of the channels
 * outside it is as exact, and faster than with them as its own.
 *
 * @param options.type of the caches' rows
 */
export async function openInPlaceDecodeAttention(
  runtime: Runtime,
  shape: AttentionShape,
  { type, threads = runtime.threads }: { readonly type: CacheType; readonly threads?: number },
): Promise<DecodeAttention> {
  const { heads, kvHeads, headDim } = shape;
  const graph = new GraphBuilder();
  const outside = scaleOutside(graph, shape, type);
  for (const name of ['key', 'value']) graph.input(name, 'f32', ['B', 1, kvHeads * headDim]);
  for (const name of ['past_keys', 'past_values']) {
    graph.input(name, rowElements[type], ['B', kvHeads, 'M', headDim]);
  }
  graph.input('last_rows', 'i32', ['B']);
  graph.input('most_rows', 'i32', [1]);
  const rows = newRows(graph, shape, type);
  graph.microsoftMulti(
    'GroupQueryAttention',
    [outside.query, ...rows.values, 'past_keys', 'past_values', 'last_rows', 'most_rows', ...rows.factors],
    [outside.attended, 'present_keys', 'present_values'],
    { num_heads: heads, kv_num_heads: kvHeads, ...rows.attributes },
  );
  outside.finish();
  for (const name of ['present_keys', 'present_values']) {
    graph.output(name, rowElements[type], ['B', kvHeads, 'M', headDim]);
  }
  const kernel = await runtime.open(graph.bytes(), { threads });
  return async ({ query, key, value, active, attention }, cache) => {
    for (let sequence = 0; sequence < cache.sequences; sequence++) {
      if (active?.[sequence] !== false) cache.reserve(sequence);
    }
    const { feeds } = cache;
    const { keys, values, lastRows, mostRows } = feeds;
    const result = await kernel.run(
      {
        ...{ query, key, value, past_keys: keys, past_values: values },
        ...{ last_rows: lastRows, most_rows: mostRows },
        ...outside.feeds(feeds),
        ...rows.feeds(feeds),
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

/** How the operator takes the new rows. */
interface NewRows {
  /** Key and value. */
  readonly values: readonly string[];
  /** Inputs behind those that every type has. */
  readonly factors: readonly string[];
  readonly attributes: Readonly<Record<string, number | string>>;
  feeds(cache: CacheFeeds): Feeds;
}

function newRows(graph: GraphBuilder, { kvHeads, headDim }: AttentionShape, type: CacheType): NewRows {
  if (type === 'float32') {
    return { values: ['key', 'value'], factors: [], attributes: {}, feeds: () => ({}) };
  }
  for (const name of ['inverse_keys', 'inverse_values'])
    graph.input(name, 'f32', ['B', 1, kvHeads * headDim]);
  const one = graph.initializer('one', 'f32', [1], Float32Array.of(1));
  const absent = ['', '', '', '', ''];
  return {
    values: [graph.op('Mul', ['key', 'inverse_keys']), graph.op('Mul', ['value', 'inverse_values'])],
    factors: [...absent, one, one],
    attributes: { kv_cache_bit_width: 8, k_quant_type: 'PER_TENSOR', v_quant_type: 'PER_TENSOR' },
    feeds: ({ scales }) =>
      scales === null ? {} : { inverse_keys: scales.inverseKeys, inverse_values: scales.inverseValues },
  };
}
