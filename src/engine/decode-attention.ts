import type { CacheType } from '../core/cache-buffers.js';
import { GraphBuilder } from '../onnx/graph-builder.js';
import { rowElements, scaleOutside } from './cache-operands.js';
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

/**
 * Attention as products; see `attendUnfused`. int8 rows are made float32 inside the graph: as small a cache as the kernel
 * that works in place has, but not a faster step.
 *
 * @param options.type of the caches' rows
 */
export async function openDecodeAttention(
  runtime: Runtime,
  shape: AttentionShape,
  { type, threads = runtime.threads }: { readonly type: CacheType; readonly threads?: number },
): Promise<DecodeAttention> {
  const { kvHeads, headDim } = shape;
  const graph = new GraphBuilder();
  const outside = scaleOutside(graph, shape, type);
  for (const name of ['keys', 'values']) {
    graph.input(name, rowElements[type], ['B', kvHeads, 'M', headDim]);
  }
  graph.input('mask', 'f32', ['B', 1, 1, 'M']);
  const floating = (rows: string): string =>
    type === 'float32' ? rows : graph.op('Cast', [rows], { to: floatCode });
  const operands = { query: outside.query, keys: floating('keys'), values: floating('values'), mask: 'mask' };
  attendUnfused(graph, shape, operands, outside.attended);
  outside.finish();
  const kernel = await runtime.open(graph.bytes(), { threads });
  return async ({ query, key, value, active, attention }, cache) => {
    const [newKeys, newValues] = [floatData(key), floatData(value)];
    for (let sequence = 0; sequence < cache.sequences; sequence++) {
      if (active?.[sequence] === false) continue;
      cache.append(newKeys, newValues, sequence, sequence * kvHeads * headDim);
    }
    const { feeds } = cache;
    const { keys, values, mask } = feeds;
    const into = attention === undefined ? {} : { into: { attention } };
    const result = await kernel.run({ query, keys, values, mask, ...outside.feeds(feeds) }, into);
    return result['attention']!;
  };
}

/** ONNX's number of float32. */
const floatCode = 1;
