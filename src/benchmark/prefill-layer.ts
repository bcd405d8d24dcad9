import { noNeeds } from '../core/attention-statistics.js';
import { chunkPlan, chunkRows } from '../engine/chunk-plan.js';
import { openPrefillAttention } from '../engine/prefill-attention.js';
import { floats, type Runtime } from '../engine/runtime.js';
import { GraphBuilder } from '../onnx/graph-builder.js';

/** Width of the MLP of LLaVA-1.5-7B. */
const mlpWidth = 11008;

/**
 * Opens the prefill of one decoder layer in float32: its seven matrix products and attention with column sums over all
 * chunks of the prompt. The weights are stand-ins; products take as long with any.
 */
export async function prefillOneLayer(
  runtime: Runtime,
  { heads, headDim, length }: { readonly heads: number; readonly headDim: number; readonly length: number },
): Promise<() => Promise<void>> {
  const width = heads * headDim;
  const graph = new GraphBuilder();
  graph.input('x', 'f32', ['S', width]);
  graph.input('square', 'f32', [width, width]);
  graph.input('wide', 'f32', [mlpWidth, width]);
  graph.input('narrow', 'f32', [width, mlpWidth]);
  const times = (value: string, weight: string): string =>
    graph.microsoft('FusedMatMul', [value, weight], { transB: 1 });
  let value = 'x';
  for (let projection = 0; projection < 4; projection++) value = times(value, 'square');
  const gated = graph.op('Mul', [times(value, 'wide'), times(value, 'wide')]);
  graph.op('ReduceMax', [times(gated, 'narrow')], { keepdims: 0 }, 'y');
  graph.output('y', 'f32', []);
  const products = await runtime.open(graph.bytes());
  const attend = await openPrefillAttention(runtime, { heads, kvHeads: heads, headDim }, length);
  const weight = new Float32Array(mlpWidth * width).fill(1e-3);
  const weights = {
    square: floats(weight.subarray(0, width * width), [width, width]),
    wide: floats(weight, [mlpWidth, width]),
    narrow: floats(weight, [width, mlpWidth]),
  };
  const rows = new Float32Array(chunkRows * width).fill(0.01);
  const keys = new Float32Array(length * width).fill(0.01);
  const values = new Float32Array(length * width).fill(0.01);
  return async () => {
    for (const { start, count } of chunkPlan(length, [length - 1])) {
      const x = rows.subarray(0, count * width);
      await products.run({ x: floats(x, [count, width]), ...weights });
      const row = floats(x, [1, count, width]);
      const chunk = { query: row, key: row, value: row, keys, values, capacity: length };
      await attend({ start, count, ...chunk, needs: noNeeds });
    }
  };
}
