import { openDecodeAttention } from '../engine/decode-attention.js';
import { cacheCapacity, LayerCache } from '../engine/layer-cache.js';
import { floats, type Runtime } from '../engine/runtime.js';
import { GraphBuilder } from '../onnx/graph-builder.js';
import { type Timing, timeInterleaved } from './interleaved.js';

const shape = { heads: 32, kvHeads: 32, headDim: 128 } as const;
/** Caches visited in turn, so that each run finds its rows in memory and not in the processor's cache. */
const layers = 4;

/** Milliseconds of one layer's decode attention at several cache sizes, beside a plain read of the same bytes. */
export async function benchmarkDecodeAttention(runtime: Runtime, rounds: number): Promise<Timing[]> {
  const { kvHeads, headDim } = shape;
  const attend = await openDecodeAttention(runtime, shape);
  const read = await openMemoryRead(runtime);
  const query = floats(new Float32Array(kvHeads * headDim).fill(0.1), [1, 1, kvHeads * headDim]);
  const contenders = [4096, 819, 205].flatMap((rows) => {
    const capacity = cacheCapacity(rows);
    const caches = Array.from({ length: layers }, () => {
      const keys = new Float32Array(kvHeads * capacity * headDim).fill(0.01);
      const values = new Float32Array(kvHeads * capacity * headDim).fill(0.02);
      return new LayerCache({ heads: kvHeads, headDim, rows, capacity, keys, values });
    });
    const each = (use: (cache: LayerCache) => Promise<unknown>) => async () => {
      for (const cache of caches) await use(cache);
    };
    return [
      { name: `attention, ${rows} rows x ${layers} layers`, run: each((cache) => attend(query, cache)) },
      {
        name: `memory read, ${rows} rows x ${layers} layers`,
        run: each((cache) => read(cache.keys, cache.values)),
      },
    ];
  });
  return timeInterleaved(contenders, rounds);
}

/** Sums two arrays: reads every byte once and does next to nothing else. */
async function openMemoryRead(runtime: Runtime) {
  const graph = new GraphBuilder();
  for (const name of ['a', 'b']) graph.input(name, 'f32', ['N', 4096]);
  const sums = ['a', 'b'].map((name) => graph.op('ReduceSum', [name, graph.ints([1])], { keepdims: 0 }));
  graph.op('Add', sums, {}, 'sum');
  graph.output('sum', 'f32', ['N']);
  const kernel = await runtime.open(graph.bytes());
  return (a: Float32Array, b: Float32Array) =>
    kernel.run({ a: floats(a, [a.length / 4096, 4096]), b: floats(b, [b.length / 4096, 4096]) });
}
