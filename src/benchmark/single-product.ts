import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { floats, type Runtime } from '../engine/runtime.js';
import { ExternalWeightFile } from '../onnx/external-weights.js';
import { GraphBuilder } from '../onnx/graph-builder.js';
import { addProduct } from '../onnx/stored-matrix.js';
import { anyTensor, randomStore, type TimedFormat } from './random-weights.js';
import { newDirectory } from './temporary-models.js';

export interface Product {
  readonly name: string;
  /** Rows of the left operand. */
  readonly rows: number;
  /** [out, in] of the stored matrix. */
  readonly dims: readonly [number, number];
  readonly format: TimedFormat;
}

/** Opens the product of `rows` rows with one random matrix, and nothing else; its result is not copied out. */
export async function openProduct(
  runtime: Runtime,
  parent: string,
  { name, rows, dims, format }: Product,
): Promise<() => Promise<void>> {
  const directory = await newDirectory(parent, name);
  const file = await ExternalWeightFile.create(directory, 'weights.bin');
  const { matrix } = await randomStore(file, format)({ matrix: anyTensor.matrix('matrix', dims) });
  await file.finish();
  const width = dims[1];
  const graph = new GraphBuilder();
  graph.input('x', 'f32', [rows, width]);
  const product = addProduct(graph, 'x', { name: 'matrix', matrix });
  graph.op('ReduceMax', [product], { keepdims: 0 }, 'largest');
  graph.output('largest', 'f32', []);
  const model = path.join(directory, 'product.onnx');
  await writeFile(model, graph.bytes());
  const kernel = await runtime.open(model);
  const x = floats(new Float32Array(rows * width).fill(0.1), [rows, width]);
  return async () => void (await kernel.run({ x }));
}
