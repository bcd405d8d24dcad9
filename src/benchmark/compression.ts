import { compressLayer } from '../compression/compress-layer.js';
import type { LayerInput } from '../compression/layer-input.js';
import { methodNamed } from '../compression/registry.js';
import { FloatPool } from '../core/float-pool.js';
import { seededRandom } from '../core/seeded-random.js';
import { openNearestKeySearch } from '../engine/nearest-key.js';
import { floats, type Runtime } from '../engine/runtime.js';
import { GraphBuilder } from '../onnx/graph-builder.js';
import { type Timing, timeInterleaved } from './interleaved.js';

/** One layer of LLaVA-1.5-7B at its longest prompt. */
const shape = { heads: 32, headDim: 128, length: 4096 } as const;
const textTokens = 200;

function randomLayer(): LayerInput {
  const { heads, headDim, length } = shape;
  const random = seededRandom(1);
  const fill = (count: number): Float32Array => Float32Array.from({ length: count }, () => random() - 0.5);
  const sums = Float32Array.from({ length: heads * length }, () => random() * 4);
  const modality = new Uint8Array(length).fill(1);
  for (let i = 0; i < textTokens; i++) modality[Math.floor((i * length) / textTokens)] = 0;
  return {
    heads,
    headDim,
    length,
    capacity: length,
    keys: fill(heads * length * headDim),
    values: fill(heads * length * headDim),
    modality,
    statistics: { columnSums: () => sums },
  };
}

/** The similarity product alone, one head a run: what no merge can do without. */
async function matmulBound(runtime: Runtime, rows: number): Promise<() => Promise<void>> {
  const { heads, headDim, length } = shape;
  const evicted = length - rows;
  const graph = new GraphBuilder();
  graph.input('a', 'f32', ['E', headDim]);
  graph.input('b', 'f32', ['N', headDim]);
  const product = graph.microsoft('FusedMatMul', ['a', 'b'], { transB: 1 });
  graph.op(
    'ReduceMax',
    [graph.op('Slice', [product, graph.ints([0]), graph.ints([1]), graph.ints([0])])],
    { keepdims: 0 },
    'y',
  );
  graph.output('y', 'f32', []);
  const kernel = await runtime.open(graph.bytes());
  const a = floats(new Float32Array(evicted * headDim).fill(0.1), [evicted, headDim]);
  const b = floats(new Float32Array(rows * headDim).fill(0.1), [rows, headDim]);
  return async () => {
    for (let head = 0; head < heads; head++) await kernel.run({ a, b });
  };
}

/** Milliseconds a layer of every method at 20 % and 5 %, beside the matrix product that merging needs. */
export async function benchmarkCompression(runtime: Runtime, rounds: number): Promise<Timing[]> {
  const layer = randomLayer();
  const pool = new FloatPool();
  const nearestKeys = await openNearestKeySearch(runtime, shape.headDim);
  const contenders = [];
  for (const ratio of [0.1, 0.025]) {
    const label = `${ratio * 200} %`;
    const rows = 2 * Math.trunc(shape.length * ratio);
    contenders.push({ name: `matrix product, ${label}`, run: await matmulBound(runtime, rows) });
    for (const name of ['h2o', 'look-m-tp-p']) {
      const method = methodNamed(name);
      const budget = { recent: ratio, important: ratio };
      contenders.push({
        name: `${name}, ${label}`,
        run: async () => {
          const tools = { nearestKeys, capacityFor: (kept: number) => kept, pool };
          const { keys, values } = await compressLayer(layer, method, budget, tools);
          pool.give(keys);
          pool.give(values);
        },
      });
    }
  }
  return timeInterleaved(contenders, rounds);
}
