import { LayerCompressor } from '../compression/layer-compressor.js';
import type { LayerInput } from '../compression/layer-input.js';
import { type MethodSemantics, MethodSet } from '../compression/method-set.js';
import type { Budget } from '../core/budget.js';
import { FloatPool } from '../core/float-pool.js';
import { seededRandom } from '../core/seeded-random.js';
import { openChannelArithmetic } from '../engine/channel-arithmetic.js';
import { openNearestKeySearch } from '../engine/nearest-key.js';
import { floats, type Runtime } from '../engine/runtime.js';
import { GraphBuilder } from '../onnx/graph-builder.js';
import type { Measured } from './benchmark.js';
import { type Contender, timeInterleaved } from './interleaved.js';
import { prefillOneLayer } from './prefill-layer.js';

/** One layer of LLaVA-1.5-7B at its longest prompt. */
const shape = { heads: 32, headDim: 128, length: 4096 } as const;
const textTokens = 200;

/** Methods timed alone: those that only evict, then those that merge. */
const alone = [
  ['h2o', 'release'],
  ['snapkv', 'release'],
  ['roco', 'paper'],
  ['knorm', 'paper'],
  ['look-m-tp', 'release'],
  ['h2o+int8', 'release'],
  ['look-m-p', 'release'],
  ['look-m-tp-a', 'release'],
  ['look-m-tp-w', 'release'],
  ['look-m-tp-p', 'release'],
] as const satisfies readonly (readonly [string, MethodSemantics])[];

/** Methods that share a search, timed as the cells of one run. */
const together = alone.slice(-3);

/** The layer's prefill takes tens of seconds: a few rounds of it are enough to compare with. */
const mostPrefillRounds = 2;

const single = Math.fround;

function randomLayer(): LayerInput {
  const { heads, headDim, length } = shape;
  const random = seededRandom(1);
  const fill = (count: number, scale: number): Float32Array =>
    Float32Array.from({ length: count }, () => single(random() * scale));
  const keys = fill(heads * length * headDim, 1).map((value) => value - 0.5);
  const sums = fill(heads * length, 4);
  const modality = new Uint8Array(length).fill(1);
  for (let i = 0; i < textTokens; i++) modality[Math.floor((i * length) / textTokens)] = 0;
  return {
    ...{ layer: 0, layers: 1, seed: 1 },
    heads,
    headDim,
    length,
    capacity: length,
    keys,
    values: fill(heads * length * headDim, 1),
    modality,
    statistics: { columnSums: () => sums, columnSquares: () => sums, windowSums: () => sums },
  };
}

/** The similarity products alone, in as many runs as the search takes: what no merge can do without. */
async function matrixProducts(runtime: Runtime, rows: number): Promise<() => Promise<void>> {
  const { heads, headDim, length } = shape;
  const headsPerRun = 4;
  const evicted = length - rows;
  const graph = new GraphBuilder();
  graph.input('a', 'f32', [headsPerRun, 'E', headDim]);
  graph.input('b', 'f32', [headsPerRun, 'N', headDim]);
  const product = graph.microsoft('FusedMatMul', ['a', 'b'], { transB: 1 });
  const first = graph.op('Slice', [product, graph.ints([0]), graph.ints([1]), graph.ints([1])]);
  graph.op('ReduceMax', [first], { keepdims: 0 }, 'y');
  graph.output('y', 'f32', []);
  const kernel = await runtime.open(graph.bytes());
  const filled = (count: number): Float32Array => new Float32Array(headsPerRun * count * headDim).fill(0.1);
  const a = floats(filled(evicted), [headsPerRun, evicted, headDim]);
  const b = floats(filled(rows), [headsPerRun, rows, headDim]);
  return async () => {
    for (let head = 0; head < heads; head += headsPerRun) await kernel.run({ a, b });
  };
}

/**
 * Milliseconds a layer of compression at 20 % and 5 %, beside the matrix products that merging needs, and of the same
 * layer's prefill.
 */
export async function benchmarkCompression(runtime: Runtime, rounds: number): Promise<Measured> {
  const layer = randomLayer();
  const pool = new FloatPool();
  const methods = new MethodSet();
  const tools = {
    nearestKeys: await openNearestKeySearch(runtime, shape.headDim),
    channels: await openChannelArithmetic(runtime),
    capacityFor: (kept: number) => kept,
    pool,
  };
  const compress = async (cells: (typeof alone)[number][], budget: Budget): Promise<void> => {
    const compressor = new LayerCompressor(layer, tools);
    for (const [name, semantics] of cells) {
      const { cache } = await compressor.compress(methods.policy(name, semantics), budget, shape.length);
      pool.give(cache.keys);
      pool.give(cache.values);
    }
    compressor.close();
  };
  const contenders: Contender[] = [];
  for (const ratio of [0.1, 0.025]) {
    const budget: Budget = { kind: 'ratio', recent: ratio, important: ratio };
    const label = `${ratio * 200} %`;
    const beside = `matrix products, ${label}`;
    const products = await matrixProducts(runtime, 2 * Math.trunc(shape.length * ratio));
    contenders.push({ name: beside, run: products });
    for (const cell of alone) {
      const name = `${cell[0]} (${cell[1]}), ${label}`;
      contenders.push({ name, beside: [beside], run: () => compress([cell], budget) });
    }
    contenders.push({
      name: `tp-a, -w, -p together, ${label}`,
      beside: [beside],
      run: () => compress(together, budget),
    });
  }
  const timings = await timeInterleaved(contenders, rounds);
  const prefill = { name: 'prefill of the layer', run: await prefillOneLayer(runtime, shape) };
  const prefills = await timeInterleaved([prefill], Math.min(rounds, mostPrefillRounds));
  return { timings: [...timings, ...prefills] };
}
