import { invariant } from '../core/errors.js';
import { GraphBuilder } from '../onnx/graph-builder.js';
import { floatData, floats, int8s, type Runtime } from './runtime.js';

/** Rows of a layer: the first `rows` of [heads, capacity, headDim]. */
interface ChannelRows {
  readonly heads: number;
  readonly headDim: number;
  readonly rows: number;
  readonly capacity: number;
  readonly data: Float32Array;
}

/**
 * Opens the arithmetic that quantising takes, head by head, so that a head's rows stay in the processor's cache from step
 * to step. The returned functions satisfy compression's `ChannelArithmetic`.
 */
export async function openChannelArithmetic(runtime: Runtime) {
  const largestOf = await runtime.open(largestGraph());
  const rounded = await runtime.open(roundingGraph());
  return {
    /** The largest magnitude of every channel, [heads, headDim]; 0 without rows. */
    async largest({ heads, headDim, rows, capacity, data }: ChannelRows): Promise<Float32Array> {
      const largest = new Float32Array(heads * headDim);
      for (let head = 0; head < heads && rows > 0; head++) {
        const from = head * capacity * headDim;
        const x = floats(data.subarray(from, from + rows * headDim), [rows, headDim]);
        const target = largest.subarray(head * headDim, (head + 1) * headDim);
        const result = await largestOf.run({ x }, { into: { largest: floats(target, [headDim]) } });
        if (floatData(result['largest']!) !== target) target.set(floatData(result['largest']!));
      }
      return largest;
    },

    /** `data * inverse` of the channel, [heads, headDim], as int8: half to even, cut off at -128 and 127; other rows of `integers` stay. */
    async toInt8(
      { heads, headDim, rows, capacity, data }: ChannelRows,
      inverse: Float32Array,
      integers: Int8Array,
    ): Promise<void> {
      for (let head = 0; head < heads && rows > 0; head++) {
        const from = head * capacity * headDim;
        const dims = [rows, headDim];
        const target = integers.subarray(from, from + rows * headDim);
        const feeds = {
          x: floats(data.subarray(from, from + rows * headDim), dims),
          inverse: floats(inverse.subarray(head * headDim, (head + 1) * headDim), [headDim]),
        };
        const { y } = await rounded.run(feeds, { into: { y: int8s(target, dims) } });
        const written = y!.data;
        invariant(written instanceof Int8Array, 'rounding gives int8');
        if (written !== target) target.set(written);
      }
    },
  };
}

function largestGraph(): Uint8Array {
  const graph = new GraphBuilder();
  graph.input('x', 'f32', ['N', 'D']);
  graph.op('ReduceMax', [graph.op('Abs', ['x']), graph.ints([0])], { keepdims: 0 }, 'largest');
  graph.output('largest', 'f32', ['D']);
  return graph.bytes();
}

function roundingGraph(): Uint8Array {
  const graph = new GraphBuilder();
  graph.input('x', 'f32', ['N', 'D']);
  graph.input('inverse', 'f32', ['D']);
  const one = graph.initializer('one', 'f32', [], Float32Array.of(1));
  const zero = graph.initializer('zero', 'i8', [], Int8Array.of(0));
  graph.op('QuantizeLinear', [graph.op('Mul', ['x', 'inverse']), one, zero], {}, 'y');
  graph.output('y', 'i8', ['N', 'D']);
  return graph.bytes();
}
