import type { CacheBuffers } from '../core/cache-buffers.js';
import { messageOf } from '../core/errors.js';
import { seededRandom } from '../core/seeded-random.js';
import { GraphBuilder } from '../onnx/graph-builder.js';
import { openAttention } from './attention.js';
import { LayerCache } from './layer-cache.js';
import { openNearestKeySearch } from './nearest-key.js';
import { type AttentionReference, referenceAttention } from './reference-attention.js';
import { floatData, floats, int64s, type Runtime, type Tensor } from './runtime.js';

export interface SelfTestResult {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

/** Float32 operators agree with float64 arithmetic on these small inputs to a few units of 1e-7. */
const tolerance = 1e-5;
const shape = { heads: 4, kvHeads: 2, headDim: 8 } as const;

/**
 * Runs every operator the engine relies on against plain float64 arithmetic on small inputs, among them the ones
 * whose contracts differ between runtime versions. Takes tens of milliseconds; `bench` runs it before it starts. The
 * graphs stay with the runtime until it is closed.
 */
export async function selfTest(runtime: Runtime): Promise<SelfTestResult[]> {
  const checks: [string, (runtime: Runtime) => Promise<number>][] = [
    ['chunked grouped-query attention with column sums', groupedAttentionError],
    ['decode attention over caches with slack', decodeAttentionError],
    ['decode attention over int8 caches', int8AttentionError],
    ['rotary embedding at given positions', rotaryError],
    ['residual RMSNorm, SiLU and transposed weights', blockError],
    ['nearest-key search', nearestKeyError],
  ];
  const results: SelfTestResult[] = [];
  for (const [name, check] of checks) results.push(await outcome(name, () => check(runtime)));
  return results;
}

async function outcome(name: string, check: () => Promise<number>): Promise<SelfTestResult> {
  try {
    const error = await check();
    return { name, ok: error <= tolerance, detail: `largest error ${error.toExponential(1)}` };
  } catch (error) {
    return { name, ok: false, detail: messageOf(error) };
  }
}

function randomFloats(count: number, seed: number): Float32Array {
  const random = seededRandom(seed);
  return Float32Array.from({ length: count }, () => random() * 2 - 1);
}

function largestError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i]! - expected[i]!);
    if (Number.isNaN(error)) return Number.POSITIVE_INFINITY;
    worst = Math.max(worst, error);
  }
  return worst;
}

/** Token-major rows [length, heads * headDim] to head-major [heads, length, headDim]. */
function headMajor(rows: Float32Array, heads: number, headDim: number): Float32Array {
  const length = rows.length / (heads * headDim);
  const moved = new Float32Array(rows.length);
  for (let row = 0; row < length; row++)
    for (let head = 0; head < heads; head++)
      for (let d = 0; d < headDim; d++)
        moved[(head * length + row) * headDim + d] = rows[(row * heads + head) * headDim + d]!;
  return moved;
}

interface AttentionCase extends AttentionReference {
  /** Token-major, as `queries`, `keys` and `values` are head-major. */
  readonly query: Float32Array;
  readonly key: Float32Array;
  readonly value: Float32Array;
}

function attentionCase(
  length: number,
  rounded: (values: Float32Array) => Float32Array = (values) => values,
): AttentionCase {
  const { heads, kvHeads, headDim } = shape;
  const query = randomFloats(length * heads * headDim, 1);
  const key = rounded(randomFloats(length * kvHeads * headDim, 2));
  const value = rounded(randomFloats(length * kvHeads * headDim, 3));
  const keys = headMajor(key, kvHeads, headDim);
  const values = headMajor(value, kvHeads, headDim);
  return { ...shape, length, queries: headMajor(query, heads, headDim), keys, values, query, key, value };
}

/**
 * The second of two chunks: its past comes from JavaScript buffers, to which it adds its rows, and of which rows that are
 * not past yet must not be read. All statistics are asked for, the window without the chunk's first query.
 */
async function groupedAttentionError(runtime: Runtime): Promise<number> {
  const { heads, kvHeads, headDim } = shape;
  const length = 7;
  const start = 4;
  const count = length - start;
  const inputs = attentionCase(length);
  const pastOf = (rows: Float32Array): Float32Array =>
    rows.map((number, i) => (Math.floor(i / headDim) % length < start ? number : Number.NaN));
  const [keys, values] = [pastOf(inputs.keys), pastOf(inputs.values)];
  const { prefill } = await openAttention(runtime, shape, { mostKeys: length });
  const result = await prefill({
    start,
    count,
    query: floats(inputs.query.subarray(start * heads * headDim), [1, count, heads * headDim]),
    key: floats(inputs.key.subarray(start * kvHeads * headDim), [1, count, kvHeads * headDim]),
    value: floats(inputs.value.subarray(start * kvHeads * headDim), [1, count, kvHeads * headDim]),
    keys,
    values,
    capacity: length,
    needs: { squares: true, windows: [{ from: start + 1, to: length }] },
  });
  const expected = referenceAttention(inputs, { from: start, to: length });
  const window = referenceAttention(inputs, { from: start + 1, to: length });
  return Math.max(
    largestError(floatData(result.attention), expected.attention),
    largestError(result.statistics.sums, expected.columnSums),
    largestError(result.statistics.squares ?? [], expected.columnSquares),
    largestError(result.statistics.windowSums ?? [], window.columnSums),
    largestError(keys, inputs.keys),
    largestError(values, inputs.values),
  );
}

/** Two sequences of one cache, the second a row shorter, each about to take its last row. */
const ends = [5, 4] as const;
const slackCapacity = 9;

/** The rows before each end, [2, heads, capacity, headDim], in a buffer with slack of no meaning. */
function rowsBeforeEnds(all: Float32Array): Float32Array {
  const { kvHeads, headDim } = shape;
  const length = ends[0];
  const wide = new Float32Array(ends.length * kvHeads * slackCapacity * headDim).fill(7);
  for (const [sequence, end] of ends.entries()) {
    for (let head = 0; head < kvHeads; head++) {
      const rows = all.subarray(head * length * headDim, (head * length + end - 1) * headDim);
      wide.set(rows, (sequence * kvHeads + head) * slackCapacity * headDim);
    }
  }
  return wide;
}

/** Error of a token of each sequence on the cache. @param inputs what the cache holds, without rounding */
async function decodedError(runtime: Runtime, inputs: AttentionCase, buffers: CacheBuffers): Promise<number> {
  const { heads, kvHeads, headDim } = shape;
  const rows = ends.map((end) => end - 1);
  const cache = new LayerCache({ heads: kvHeads, headDim, rows, capacity: slackCapacity, buffers });
  const { decode } = await openAttention(runtime, shape, { mostKeys: inputs.length });
  const lastRows = (all: Float32Array, width: number): Tensor =>
    floats(Float32Array.from(ends.flatMap((end) => [...all.subarray((end - 1) * width, end * width)])), [
      ends.length,
      1,
      width,
    ]);
  const attention = await decode(
    {
      query: lastRows(inputs.query, heads * headDim),
      key: lastRows(inputs.key, kvHeads * headDim),
      value: lastRows(inputs.value, kvHeads * headDim),
    },
    cache,
  );
  const expected = ends.flatMap((to) => [...referenceAttention(inputs, { from: to - 1, to }).attention]);
  return largestError(floatData(attention), expected);
}

async function decodeAttentionError(runtime: Runtime): Promise<number> {
  const inputs = attentionCase(ends[0]);
  const [keys, values] = [rowsBeforeEnds(inputs.keys), rowsBeforeEnds(inputs.values)];
  return decodedError(runtime, inputs, { type: 'float32', keys, values });
}

/** Rows that int8 holds exactly, the new ones too, so that only the kernel can be wrong. */
async function int8AttentionError(runtime: Runtime): Promise<number> {
  const { kvHeads, headDim } = shape;
  const factor = 1 / 64;
  const onGrid = (values: Float32Array): Float32Array => values.map((value) => Math.round(64 * value) / 64);
  const inputs = attentionCase(ends[0], onGrid);
  const integers = (all: Float32Array): Int8Array =>
    Int8Array.from(rowsBeforeEnds(all), (value) => Math.min(127, value / factor));
  const scales = new Float32Array(ends.length * kvHeads * headDim).fill(factor);
  const [keys, values] = [integers(inputs.keys), integers(inputs.values)];
  return decodedError(runtime, inputs, {
    type: 'int8',
    keys,
    values,
    scales: { keys: scales, values: scales },
  });
}

async function rotaryError(runtime: Runtime): Promise<number> {
  const { headDim } = shape;
  const half = headDim / 2;
  const positions = [5, 2];
  const angles = Float32Array.from({ length: 8 * half }, (_, i) => Math.floor(i / half) / 10 ** (i % half));
  const graph = new GraphBuilder();
  graph.input('x', 'f32', [1, 'S', headDim]);
  graph.input('positions', 'i64', [1, 'S']);
  graph.initializer('cos', 'f32', [8, half], angles.map(Math.cos));
  graph.initializer('sin', 'f32', [8, half], angles.map(Math.sin));
  graph.microsoft('RotaryEmbedding', ['x', 'positions', 'cos', 'sin'], {}, 'y');
  graph.output('y', 'f32', [1, 'S', headDim]);
  const x = randomFloats(2 * headDim, 4);
  const result = await (await runtime.open(graph.bytes(), { onDevice: true })).run({
    x: floats(x, [1, 2, headDim]),
    positions: int64s(positions, [1, 2]),
  });
  const expected = positions.flatMap((position, row) => {
    const at = (d: number): number => x[row * headDim + d]!;
    const angle = (d: number): number => angles[position * half + (d % half)]!;
    return Array.from({ length: headDim }, (_, d) =>
      d < half
        ? at(d) * Math.cos(angle(d)) - at(d + half) * Math.sin(angle(d))
        : at(d) * Math.cos(angle(d)) + at(d - half) * Math.sin(angle(d)),
    );
  });
  return largestError(floatData(result['y']!), expected);
}

async function blockError(runtime: Runtime): Promise<number> {
  const width = 6;
  const epsilon = 1e-5;
  const [x, residual, weight] = [randomFloats(width, 5), randomFloats(width, 6), randomFloats(width * 2, 7)];
  const graph = new GraphBuilder();
  graph.input('x', 'f32', [1, 1, width]);
  graph.input('residual', 'f32', [1, 1, width]);
  graph.initializer('scale', 'f32', [width], new Float32Array(width).fill(2));
  graph.initializer('weight', 'f32', [2, width], weight);
  graph.microsoftMulti('SkipSimplifiedLayerNormalization', ['residual', 'x', 'scale'], ['n', '', '', 'sum'], {
    epsilon: { float: epsilon },
  });
  const product = graph.microsoft('FusedMatMul', ['n', 'weight'], { transB: 1 });
  graph.microsoft('QuickGelu', [product], { alpha: { float: 1 } }, 'y');
  graph.output('y', 'f32', [1, 1, 2]);
  graph.output('sum', 'f32', [1, 1, width]);
  const dims = [1, 1, width];
  const result = await (await runtime.open(graph.bytes(), { onDevice: true })).run({
    x: floats(x, dims),
    residual: floats(residual, dims),
  });
  const sum = Array.from(x, (value, i) => value + residual[i]!);
  const scale = 2 / Math.sqrt(sum.reduce((total, value) => total + value * value, 0) / width + epsilon);
  const expected = [0, 1].map((row) => {
    const dot = sum.reduce((total, value, i) => total + value * scale * weight[row * width + i]!, 0);
    return dot / (1 + Math.exp(-dot));
  });
  return Math.max(
    largestError(floatData(result['y']!), expected),
    largestError(floatData(result['sum']!), sum),
  );
}

/** Errors count mistaken rows; two equal conserved keys check that the lower one wins. */
async function nearestKeyError(runtime: Runtime): Promise<number> {
  const headDim = 4;
  const conserved = randomFloats(5 * headDim, 8);
  conserved.copyWithin(3 * headDim, 0, headDim);
  const evicted = new Float32Array(conserved.length);
  for (let i = 0; i < evicted.length; i++) evicted[i] = conserved[i]! * 3;
  const search = await openNearestKeySearch(runtime, headDim);
  const found = await search({
    heads: 1,
    headDim,
    evicted: { rows: 5, data: evicted },
    conserved: { rows: 5, data: conserved },
  });
  return largestError(found, [0, 1, 2, 0, 4]);
}
