import { GraphBuilder } from '../onnx/graph-builder.js';
import { floats, int32Data, type Runtime } from './runtime.js';

/**
 * Opens the nearest-key search: cosine similarity by one matrix product, then ArgMax. Only the conserved keys are
 * normalised, because the length of an evicted key scales all its similarities alike. ArgMax gives the lowest row
 * on ties. The returned function satisfies compression's `NearestKeySearch`.
 */
export async function openNearestKeySearch(runtime: Runtime, headDim: number) {
  const graph = new GraphBuilder();
  graph.input('evicted', 'f32', ['H', 'E', headDim]);
  graph.input('conserved', 'f32', ['H', 'N', headDim]);
  const directions = graph.op('LpNormalization', ['conserved'], { p: 2, axis: -1 });
  const similarities = graph.microsoft('FusedMatMul', ['evicted', directions], { transB: 1 });
  const nearest = graph.op('ArgMax', [similarities], { axis: -1, keepdims: 0 });
  graph.op('Cast', [nearest], { to: int32Type }, 'nearest');
  graph.output('nearest', 'i32', ['H', 'E']);
  const kernel = await runtime.open(graph.bytes());
  return async (options: {
    heads: number;
    headDim: number;
    evicted: { rows: number; data: Float32Array };
    conserved: { rows: number; data: Float32Array };
  }): Promise<Int32Array> => {
    const { heads, evicted, conserved } = options;
    const result = await kernel.run({
      evicted: floats(evicted.data, [heads, evicted.rows, headDim]),
      conserved: floats(conserved.data, [heads, conserved.rows, headDim]),
    });
    return int32Data(result['nearest']!);
  };
}

/** ONNX code of int32, the target of the cast. */
const int32Type = 6;
