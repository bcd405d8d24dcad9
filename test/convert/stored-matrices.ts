import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import onnxProto, { type onnx as onnxTypes } from 'onnx-proto';
import { widenFloat16 } from '../../src/core/half-floats.js';
import { elementCount } from '../../src/core/tensor.js';
import type { BlockFormat } from '../../src/onnx/quantise-blocks.js';
import { dequantiseBlocks } from '../support/dequantise-blocks.js';

const { ModelProto } = onnxProto.onnx;

/** A matrix of a bundle's graphs as its stored numbers say, whatever their type. */
export interface StoredNumbers {
  readonly values: Float32Array;
  /** Of matrices stored in blocks. */
  readonly format?: BlockFormat;
}

/** Every matrix that a graph of the bundle multiplies with, by name. */
export async function storedMatrices(dir: string): Promise<Map<string, StoredNumbers>> {
  const found = new Map<string, StoredNumbers>();
  for (const { graph } of (await graphs(dir)).values()) {
    const tensors = new Map((graph?.initializer ?? []).map((tensor) => [tensor.name!, tensor]));
    const bytes = async (name: string): Promise<Uint8Array<ArrayBuffer>> => {
      const fields = new Map(tensors.get(name)!.externalData!.map(({ key, value }) => [key, value!]));
      const start = Number(fields.get('offset'));
      const file = await readFile(join(dir, fields.get('location')!));
      return Uint8Array.from(file.subarray(start, start + Number(fields.get('length'))));
    };
    for (const node of graph?.node ?? []) {
      const [, name = '', scales = '', zeroPoints = ''] = node.input ?? [];
      if (node.opType === 'MatMulNBits') {
        const attributes = new Map(
          node.attribute!.map((attribute) => [attribute.name!, Number(attribute.i)]),
        );
        const dtype = attributes.get('bits') === 4 ? 'int4' : 'int8';
        const format = { dtype, blockSize: attributes.get('block_size') } as BlockFormat;
        const stored = {
          values: await bytes(name),
          scales: new Float32Array((await bytes(scales)).buffer),
          zeroPoints: await bytes(zeroPoints),
        };
        const numbers = dequantiseBlocks(stored, attributes.get('N')!, attributes.get('K')!, format);
        found.set(name, { values: Float32Array.from(numbers), format });
      } else if (node.opType === 'FusedMatMul') {
        const cast = graph!.node!.find(({ opType, output }) => opType === 'Cast' && output?.[0] === name);
        const stored = await bytes(cast?.input?.[0] ?? name);
        const values = new Float32Array(
          elementCount(tensors.get(cast?.input?.[0] ?? name)!.dims!.map(Number)),
        );
        if (cast === undefined) values.set(new Float32Array(stored.buffer));
        else widenFloat16(new Uint16Array(stored.buffer), values);
        found.set(cast?.input?.[0] ?? name, { values });
      }
    }
  }
  return found;
}

/** Lets every product with a matrix in blocks take its left operand as floats. */
export async function multiplyWithFloats(dir: string): Promise<void> {
  for (const [name, model] of await graphs(dir)) {
    for (const { attribute } of model.graph?.node ?? []) {
      const level = attribute?.find((each) => each.name === 'accuracy_level');
      if (level) level.i = 1;
    }
    await writeFile(join(dir, name), ModelProto.encode(model).finish());
  }
}

async function graphs(dir: string): Promise<Map<string, onnxTypes.ModelProto>> {
  const names = (await readdir(dir)).filter((name) => name.endsWith('.onnx'));
  const models = await Promise.all(
    names.map(async (name) => ModelProto.decode(await readFile(join(dir, name)))),
  );
  return new Map(names.map((name, index) => [name, models[index]!]));
}
