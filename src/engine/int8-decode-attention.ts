import { invariant } from '../core/errors.js';
import { GraphBuilder } from '../onnx/graph-builder.js';
import type { DecodeAttention } from './decode-attention.js';
import type { AttentionShape } from './prefill-chunk.js';
import { floatData, type Runtime } from './runtime.js';
import { scaledHeads } from './scaled-heads.js';
import { attendUnfused } from './unfused-attention.js';

/**
 * Unfused attention on int8 rows, which are made float32 inside the graph: as small a cache as the native kernel's, but
 * not a faster step. Factors are multiplied in as there, and new rows are rounded alike.
 */
export async function openInt8DecodeAttention(
  runtime: Runtime,
  shape: AttentionShape,
  threads = runtime.threads,
): Promise<DecodeAttention> {
  const { heads, kvHeads, headDim } = shape;
  const graph = new GraphBuilder();
  graph.input('query', 'f32', ['B', 1, heads * headDim]);
  for (const name of ['keys', 'values']) graph.input(name, 'i8', ['B', kvHeads, 'M', headDim]);
  for (const name of ['key_scales', 'value_scales']) graph.input(name, 'f32', ['B', kvHeads, 1, headDim]);
  graph.input('mask', 'f32', ['B', 1, 1, 'M']);
  const float = (rows: string): string => graph.op('Cast', [rows], { to: floatCode });
  const attended = attendUnfused(graph, shape, {
    query: scaledHeads(graph, 'query', 'key_scales', shape),
    keys: float('keys'),
    values: float('values'),
    mask: 'mask',
  });
  scaledHeads(graph, attended, 'value_scales', shape, 'attention');
  graph.output('attention', 'f32', ['B', 1, heads * headDim]);
  const kernel = await runtime.open(graph.bytes(), { threads });
  return async ({ query, key, value, active, attention }, cache) => {
    const [newKeys, newValues] = [floatData(key), floatData(value)];
    for (let sequence = 0; sequence < cache.sequences; sequence++) {
      if (active?.[sequence] === false) continue;
      cache.append(newKeys, newValues, sequence, sequence * kvHeads * headDim);
    }
    const { keys, values, scales, mask } = cache.feeds;
    invariant(scales !== null, 'int8 attention is given float32 rows');
    const feeds = { query, keys, values, mask, key_scales: scales.keys, value_scales: scales.values };
    const result = await kernel.run(feeds, attention === undefined ? {} : { into: { attention } });
    return result['attention']!;
  };
}

/** ONNX's number of float32. */
const floatCode = 1;
