import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { seededRandom } from '../../src/core/seeded-random.js';
import { areMapped } from '../../src/engine/mapped-weights.js';
import { floatData, floats, Runtime } from '../../src/engine/runtime.js';
import { ExternalWeightFile } from '../../src/onnx/external-weights.js';
import { GraphBuilder } from '../../src/onnx/graph-builder.js';
import { addProduct } from '../../src/onnx/stored-matrix.js';

test.each([
  ['fp32', 26e9, true],
  ['fp32', 1.2e9, false],
  ['fp16', 13e9, false],
  ['int4', 4e9, false],
] as const)('weights in %s of %d bytes are mapped: %s', (dtype, bytes, mapped) => {
  expect(areMapped(dtype === 'int4' ? { dtype, blockSize: 32 } : { dtype }, bytes)).toBe(mapped);
});

test('products with mapped weights are those with weights in memory', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'lookm-mapped-'));
  const runtime = new Runtime({ threads: 1 });
  onTestFinished(async () => {
    await runtime.close();
    await rm(directory, { recursive: true });
  });
  const random = seededRandom(1);
  const [rows, columns, tokens] = [70, 130, 9] as const;
  const weights = Float32Array.from({ length: rows * columns }, () => random() - 0.5);
  const value = Float32Array.from({ length: tokens * columns }, () => random() - 0.5);
  const file = await ExternalWeightFile.create(directory, 'weights.bin');
  const matrix = {
    format: { dtype: 'fp32' },
    dims: [rows, columns],
    values: await file.add([weights]),
  } as const;
  await file.finish();
  const builder = new GraphBuilder();
  builder.input('value', 'f32', [1, 'S', columns]);
  addProduct(builder, 'value', { name: 'weight', matrix, output: 'product' });
  builder.output('product', 'f32', [1, 'S', rows]);
  const model = path.join(directory, 'product.onnx');
  await writeFile(model, builder.bytes());
  for (const mapsWeights of [false, true]) {
    const graph = await runtime.open(model, { mapsWeights });
    const product = floatData((await graph.run({ value: floats(value, [1, tokens, columns]) }))['product']!);
    for (let token = 0; token < tokens; token++) {
      for (let row = 0; row < rows; row++) {
        let sum = 0;
        for (let i = 0; i < columns; i++) sum += value[token * columns + i]! * weights[row * columns + i]!;
        expect(product[token * rows + row]).toBeCloseTo(sum, 5);
      }
    }
  }
});
