import type { QueryRange } from '../core/attention-statistics.js';
import { GraphBuilder } from '../onnx/graph-builder.js';
import { attentionInRuns, headsPerRun } from './attention-in-runs.js';
import type { ChunkStatistics } from './attention-recorder.js';
import { chunkRows } from './chunk-plan.js';
import type { AttentionShape, PrefillAttention, PrefillChunk } from './prefill-chunk.js';
import { floatData, floats, type Graph, int32s, int64s, type Runtime, type Tensor } from './runtime.js';
import { storeRows } from './store-rows.js';

/** GroupQueryAttention refuses other head sizes. */
const groupedHeadMultiple = 8;

export function isGroupable({ headDim }: AttentionShape): boolean {
  return headDim % groupedHeadMultiple === 0;
}

/**
 * The fastest kernel that runs for this shape, as many heads at a time as memory allows. Only the CPU has a grouped one
 * that gives its weights; elsewhere K and V go to the device with every chunk, which its products are worth.
 *
 * @param mostKeys length of the longest prompt
 */
export async function openPrefillAttention(
  runtime: Runtime,
  shape: AttentionShape,
  mostKeys: number,
): Promise<PrefillAttention> {
  const { heads, kvHeads, headDim } = shape;
  const grouped = runtime.device === 'cpu' && isGroupable(shape);
  const open = grouped ? openGroupedAttention : openUnfusedAttention;
  const own = headsPerRun(shape, { queries: chunkRows, keys: mostKeys, threads: runtime.threads });
  const part = { heads: (own * heads) / kvHeads, kvHeads: own, headDim };
  return attentionInRuns(await open(runtime, part), shape, part);
}

/** Which statistics a graph computes; column sums always. */
interface GraphVariant {
  readonly squares: boolean;
  readonly windows: boolean;
}

/** Opens a graph when it is first needed: most runs need one or two of the four variants. */
function lazily(open: (variant: GraphVariant) => Promise<Graph>): (variant: GraphVariant) => Promise<Graph> {
  const opened = new Map<string, Promise<Graph>>();
  return (variant) => {
    const key = `${variant.squares} ${variant.windows}`;
    const graph = opened.get(key) ?? open(variant);
    opened.set(key, graph);
    return graph;
  };
}

/** `qk_output` of GroupQueryAttention: 2 = the weights after softmax. */
const weightsAfterSoftmax = 2;

/**
 * GroupQueryAttention that also returns its softmax weights, summed inside the graph so that nothing of size
 * queries x keys leaves it. Where outputs can be written in place it adds the chunk's rows to the buffers by itself;
 * elsewhere its `present` outputs are not fetched.
 */
export async function openGroupedAttention(
  runtime: Runtime,
  shape: AttentionShape,
): Promise<PrefillAttention> {
  const { heads, kvHeads, headDim } = shape;
  const inPlace = runtime.kind === 'native';
  const kernel = lazily((variant) => {
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
    graph.output('attention', 'f32', [1, 'S', heads * headDim]);
    if (inPlace) {
      for (const name of ['present_keys', 'present_values'])
        graph.output(name, 'f32', [1, kvHeads, 'M', headDim]);
    }
    addStatistics(graph, heads, variant);
    return runtime.open(graph.bytes());
  });
  return async (chunk) => {
    const past = [1, kvHeads, chunk.capacity, headDim];
    const [keys, values] = [floats(chunk.keys, past), floats(chunk.values, past)];
    if (!inPlace) storeChunk(chunk, kvHeads, headDim);
    const total = chunk.start + chunk.count;
    const { variant, feeds, read } = statisticsOf(chunk);
    const result = await (await kernel(variant)).run(
      {
        ...feeds,
        query: chunk.query,
        key: chunk.key,
        value: chunk.value,
        past_keys: keys,
        past_values: values,
        last_position: int32s([total - 1], [1]),
        total: int32s([total], [1]),
      },
      inPlace ? { into: { present_keys: keys, present_values: values } } : {},
    );
    return { attention: result['attention']!, statistics: read(result) };
  };
}

/** MatMul, softmax, MatMul: runs for every head size and is the reference the grouped kernel is tested against. */
export async function openUnfusedAttention(
  runtime: Runtime,
  shape: AttentionShape,
): Promise<PrefillAttention> {
  const { heads, kvHeads, headDim } = shape;
  const group = heads / kvHeads;
  const kernel = lazily((variant) => {
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
    graph.op('Softmax', [graph.op('Add', [scores, 'mask'])], { axis: -1 }, 'weights');
    const mixed = graph.op('Transpose', [graph.op('MatMul', ['weights', used('values')])], {
      perm: [2, 0, 1, 3],
    });
    graph.op('Reshape', [mixed, graph.ints([1, -1, heads * headDim])], {}, 'attention');
    graph.output('attention', 'f32', [1, 'S', heads * headDim]);
    addStatistics(graph, heads, variant);
    return runtime.open(graph.bytes(), { onDevice: true });
  });
  return async (chunk) => {
    const buffer = [kvHeads, chunk.capacity, headDim];
    storeChunk(chunk, kvHeads, headDim);
    const total = chunk.start + chunk.count;
    const { variant, feeds, read } = statisticsOf(chunk);
    const result = await (await kernel(variant)).run({
      ...feeds,
      query: chunk.query,
      keys: floats(chunk.keys, buffer),
      values: floats(chunk.values, buffer),
      total: int64s([total], [1]),
      mask: causalMask(chunk.start, chunk.count),
    });
    return { attention: result['attention']!, statistics: read(result) };
  };
}

/** Moves the rows of a chunk into the buffers. */
function storeChunk(
  { key, value, keys, values, start, count, capacity }: PrefillChunk,
  heads: number,
  headDim: number,
): void {
  const place = { start, count, heads, headDim, capacity };
  storeRows(keys, floatData(key), place);
  storeRows(values, floatData(value), place);
}

/** [count, start + count]: 0 where a query may look, a large negative number where it may not. */
function causalMask(start: number, count: number): Tensor {
  const total = start + count;
  const mask = new Float32Array(count * total);
  for (let row = 0; row < count; row++) mask.fill(-1e30, row * total + start + row + 1, (row + 1) * total);
  return floats(mask, [count, total]);
}

/**
 * Adds outputs over the queries of `weights` [a, b, S, T] with a * b = heads. Sums of windows are products of the rows
 * from `first` on, R of them, with a selector [1, 1, G, R] of zeros and ones, so that the chunks, and with them K and V,
 * are the same whatever is asked for.
 */
function addStatistics(graph: GraphBuilder, heads: number, { squares, windows }: GraphVariant): void {
  const output = (name: string, value: string): void => {
    graph.op('Reshape', [value, graph.ints([heads, -1])], {}, name);
    graph.output(name, 'f32', [heads, 'N']);
  };
  output('column_sums', graph.op('ReduceSum', ['weights', graph.ints([2])], { keepdims: 0 }));
  if (squares)
    output('column_squares', graph.op('ReduceSumSquare', ['weights', graph.ints([2])], { keepdims: 0 }));
  if (!windows) return;
  graph.input('selector', 'f32', [1, 1, 'G', 'R']);
  graph.input('first', 'i64', [1]);
  const rows = graph.op('Slice', ['weights', 'first', graph.ints([toTheEnd]), graph.ints([2])]);
  output('window_sums', graph.op('MatMul', ['selector', rows]));
}

/** Larger than any chunk: the end of a slice that runs to the end. */
const toTheEnd = 2 ** 31 - 1;

/** The variant a chunk needs, its selector, and how to read what the graph returns. */
function statisticsOf({ start, count, needs }: PrefillChunk): {
  readonly variant: GraphVariant;
  readonly feeds: Readonly<Record<string, Tensor>>;
  readonly read: (result: Readonly<Record<string, Tensor>>) => ChunkStatistics;
} {
  const end = start + count;
  const windows = needs.windows.filter(({ from, to }) => from < end && to > start);
  return {
    variant: { squares: needs.squares, windows: windows.length > 0 },
    feeds: windows.length === 0 ? {} : selectorOf(windows, start, count),
    read: (result) => ({
      end,
      sums: floatData(result['column_sums']!),
      squares: needs.squares ? floatData(result['column_squares']!) : null,
      windows,
      windowSums: windows.length === 0 ? null : floatData(result['window_sums']!),
    }),
  };
}

/** The first row of the chunk in any window, and [1, 1, windows, rows]: 1 where a row from there on belongs to one. */
function selectorOf(
  windows: readonly QueryRange[],
  start: number,
  count: number,
): Readonly<Record<'first' | 'selector', Tensor>> {
  const first = Math.max(0, Math.min(...windows.map(({ from }) => from)) - start);
  const rows = count - first;
  const selector = new Float32Array(windows.length * rows);
  for (const [window, { from, to }] of windows.entries()) {
    const begin = Math.max(0, from - start - first);
    const end = Math.min(rows, to - start - first);
    selector.fill(1, window * rows + begin, window * rows + end);
  }
  return { first: int64s([first], [1]), selector: floats(selector, [1, 1, windows.length, rows]) };
}
