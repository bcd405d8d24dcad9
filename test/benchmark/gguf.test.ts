import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeRandomGguf } from '../../src/benchmark/peer/random-gguf.js';

const shape = {
  hiddenSize: 64,
  intermediateSize: 96,
  layers: 2,
  heads: 4,
  kvHeads: 2,
  headDim: 16,
  vocabSize: 32,
  rmsNormEps: 1e-5,
  ropeTheta: 10000,
  maxPositions: 128,
};

let directory: string;
let bytes: Buffer;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'lookm-gguf-'));
  const file = path.join(directory, 'model.gguf');
  await writeRandomGguf(file, shape);
  bytes = await readFile(file);
});
afterAll(() => rm(directory, { recursive: true }));

interface TensorInfo {
  readonly name: string;
  readonly dims: readonly number[];
  readonly type: number;
  readonly offset: number;
}

/** Reads a header by the words of GGUF's specification. */
function readHeader(file: Buffer) {
  let at = 0;
  /** Where the next `length` bytes start. */
  const pass = (length: number): number => {
    at += length;
    return at - length;
  };
  const u32 = (): number => file.readUInt32LE(pass(4));
  const u64 = (): number => Number(file.readBigUInt64LE(pass(8)));
  const text = (): string => {
    const length = u64();
    const start = pass(length);
    return file.toString('utf8', start, start + length);
  };
  const magic = file.toString('latin1', pass(4), 4);
  const version = u32();
  const [tensorCount, valueCount] = [u64(), u64()];
  const values = new Map<string, number | string>();
  for (let i = 0; i < valueCount; i++) {
    const key = text();
    const type = u32();
    if (type === 8) values.set(key, text());
    else if (type === 4) values.set(key, u32());
    else if (type === 6) values.set(key, file.readFloatLE(pass(4)));
    else throw new Error(`value type ${type}`);
  }
  const tensors = Array.from({ length: tensorCount }, (): TensorInfo => {
    const name = text();
    const dims = Array.from({ length: u32() }, u64);
    return { name, dims, type: u32(), offset: u64() };
  });
  return { magic, version, values, tensors, data: Math.ceil(at / 32) * 32 };
}

/** Bytes of a tensor of float32 (type 0) or Q4_0 (type 2). */
function sizeOf({ dims, type }: TensorInfo): number {
  const elements = dims.reduce((a, b) => a * b, 1);
  return type === 0 ? 4 * elements : (elements / 32) * 18;
}

describe('a random GGUF', () => {
  it('says what llama.cpp needs to know of a Llama', () => {
    const { magic, version, values } = readHeader(bytes);
    expect([magic, version]).toEqual(['GGUF', 3]);
    expect(Object.fromEntries(values)).toMatchObject({
      'general.architecture': 'llama',
      'llama.block_count': 2,
      'llama.embedding_length': 64,
      'llama.attention.head_count': 4,
      'llama.attention.head_count_kv': 2,
      'llama.rope.dimension_count': 16,
      'llama.vocab_size': 32,
      'tokenizer.ggml.model': 'no_vocab',
    });
  });

  it('has every tensor once, its innermost size first, aligned and without gaps but for padding', () => {
    const { tensors, data } = readHeader(bytes);
    expect(tensors).toHaveLength(2 * 9 + 3);
    expect(new Set(tensors.map(({ name }) => name)).size).toBe(tensors.length);
    expect(tensors.find(({ name }) => name === 'blk.1.ffn_down.weight')?.dims).toEqual([96, 64]);
    expect(tensors.find(({ name }) => name === 'blk.0.attn_k.weight')?.dims).toEqual([64, 32]);
    let end = 0;
    for (const tensor of tensors) {
      expect(tensor.offset).toBe(Math.ceil(end / 32) * 32);
      end = tensor.offset + sizeOf(tensor);
    }
    expect(bytes.length).toBe(data + Math.ceil(end / 32) * 32);
  });

  it('has Q4_0 blocks with finite positive scales, and no two equal matrices', () => {
    const { tensors, data } = readHeader(bytes);
    const contents = tensors
      .filter(({ type }) => type === 2)
      .map((tensor) => bytes.subarray(data + tensor.offset, data + tensor.offset + sizeOf(tensor)));
    for (const content of contents) {
      for (let block = 0; block < content.length; block += 18) {
        const exponent = (content.readUInt16LE(block) >> 10) & 31;
        expect(content.readUInt16LE(block) >> 15).toBe(0);
        expect(exponent).toBeGreaterThan(0);
        expect(exponent).toBeLessThan(31);
      }
    }
    expect(new Set(contents.map((content) => content.toString('latin1'))).size).toBe(contents.length);
  });
});
