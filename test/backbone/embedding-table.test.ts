import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openEmbeddingTable } from '../../src/backbone/embedding-table.js';
import { BugError, UserError } from '../../src/core/errors.js';
import { bytesOf } from '../../src/core/tensor.js';
import { fixturePath } from '../support/fixture-path.js';
import { float32Values, int32Values, readSafetensors } from '../support/read-safetensors.js';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'lookm-embedding-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function stored(name: string, content: ArrayBufferView): string {
  const path = join(directory, name);
  writeFileSync(path, bytesOf(content));
  return path;
}

const shape = { vocabSize: 3, hiddenSize: 2 } as const;

describe('rows come out as float32, whatever is stored', () => {
  test.each([
    ['F32', Float32Array.of(1, -2, 0.5, 3, 1e-20, 65504), [1, -2, 0.5, 3, Math.fround(1e-20), 65504]],
    ['F16', Uint16Array.of(0x3c00, 0xc000, 0x3800, 0x4200, 0x0001, 0x7bff), [1, -2, 0.5, 3, 2 ** -24, 65504]],
    [
      'BF16',
      Uint16Array.of(0x3f80, 0xc000, 0x3f00, 0x4040, 0x0001, 0x477f),
      [1, -2, 0.5, 3, 2 ** -133, 65280],
    ],
  ] as const)('%s', (dtype, content, expected) => {
    const table = openEmbeddingTable({ path: stored(`${dtype}.bin`, content), dtype, ...shape });
    const rows = [2, 0, 1, 0].map((id) => {
      const row = new Float32Array(2);
      table.readRow(id, row);
      return [...row];
    });
    table.close();
    const row = (id: number): number[] => expected.slice(2 * id, 2 * id + 2);
    expect(rows).toEqual([row(2), row(0), row(1), row(0)]);
  });
});

test('the golden embeddings are rows of the checkpoint, read again after more rows than are kept', () => {
  const weights = readSafetensors(fixturePath('backbones/llava/model.safetensors')).tensors;
  const embedding = weights.get('model.embed_tokens.weight');
  if (embedding?.dtype !== 'F16') throw new Error('the fixture stores F16 embeddings');
  const [rows, hiddenSize] = [embedding.dims[0]!, embedding.dims[1]!];
  const copies = 4;
  const repeated = new Uint16Array(copies * embedding.data.length);
  for (let copy = 0; copy < copies; copy++) repeated.set(embedding.data, copy * embedding.data.length);
  const table = openEmbeddingTable({
    path: stored('llava.bin', repeated),
    dtype: 'F16',
    vocabSize: copies * rows,
    hiddenSize,
  });
  const golden = readSafetensors(fixturePath('backbones/llava/golden.safetensors'));
  const expected = float32Values(golden, 'inputs_embeds').subarray(0, 50 * hiddenSize);
  const ids = int32Values(golden, 'input_ids').subarray(0, 50);
  const row = new Float32Array(hiddenSize);
  for (let id = 0; id < copies * rows; id++) table.readRow(id, row);
  for (const [position, id] of ids.entries()) {
    for (const copy of [0, copies - 1]) {
      table.readRow(id + copy * rows, row);
      expect(row).toEqual(expected.subarray(position * hiddenSize, (position + 1) * hiddenSize));
    }
  }
  table.close();
});

describe('errors', () => {
  const content = Float32Array.of(1, 2, 3, 4, 5, 6);

  test.each([-200, -1, 3, 0.5, Number.NaN])('id %f has no embedding', (id) => {
    const table = openEmbeddingTable({ path: stored('small.bin', content), dtype: 'F32', ...shape });
    expect(() => table.readRow(id, new Float32Array(2))).toThrow(UserError);
    expect(() => table.readRow(id, new Float32Array(2))).toThrow(
      /has no embedding, the table holds ids 0 to 2/,
    );
    table.close();
  });

  test('a file of another size is refused', () => {
    const path = stored('short.bin', content.subarray(1));
    expect(() => openEmbeddingTable({ path, dtype: 'F32', ...shape })).toThrow(/has 20 bytes instead of 24/);
  });

  test('a missing file is a UserError that names it', () => {
    const path = join(directory, 'missing.bin');
    expect(() => openEmbeddingTable({ path, dtype: 'F32', ...shape })).toThrow(UserError);
    expect(() => openEmbeddingTable({ path, dtype: 'F32', ...shape })).toThrow(path);
  });

  test('a file that shrinks while it is open is a UserError', () => {
    const path = stored('shrinking.bin', content);
    const table = openEmbeddingTable({ path, dtype: 'F32', ...shape });
    truncateSync(path, 12);
    expect(() => table.readRow(2, new Float32Array(2))).toThrow(/became shorter/);
    table.close();
  });

  test('closing twice is allowed, reading afterwards is a bug', () => {
    const table = openEmbeddingTable({ path: stored('closed.bin', content), dtype: 'F32', ...shape });
    table.close();
    table.close();
    expect(() => table.readRow(0, new Float32Array(2))).toThrow(BugError);
  });
});
