import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { invariant, messageOf, UserError } from '../core/errors.js';
import { widenBfloat16, widenFloat16 } from '../core/half-floats.js';
import { bytesOf } from '../core/tensor.js';
import type { BundleManifest } from './bundle-manifest.js';

export interface EmbeddingTableOptions {
  /** File of token rows [vocabSize, hiddenSize], little-endian, without header. */
  readonly path: string;
  readonly dtype: BundleManifest['embedding']['dtype'];
  readonly vocabSize: number;
  readonly hiddenSize: number;
}

/** Token embeddings read from disk row by row. */
export interface EmbeddingTable {
  readonly vocabSize: number;
  readonly hiddenSize: number;
  /** Writes row `id` as float32 into `target` [hiddenSize]. Throws `UserError` for an id beyond the vocabulary. */
  readonly readRow: (id: number, target: Float32Array) => void;
  /** Closes the file; reading afterwards is an error. */
  readonly close: () => void;
}

/** The embedding of a token in an array of its own, [hiddenSize]. Throws `UserError` for an id beyond the vocabulary. */
export function embeddingOf(table: EmbeddingTable, id: number): Float32Array {
  const row = new Float32Array(table.hiddenSize);
  table.readRow(id, row);
  return row;
}

/** Rows kept in memory: the words of a prompt repeat, and 2048 rows of 4096 numbers are 32 MB. */
const cachedRows = 2048;

const bytesPerElement = { F32: 4, F16: 2, BF16: 2 } as const;

/**
 * Opens a bundle's embedding file for positioned reads; the file is never loaded whole.
 *
 * Reads are synchronous: a row is a few kilobytes and one is needed for each decode step. Throws `UserError` when
 * the file cannot be opened or has not exactly `vocabSize` rows.
 */
export function openEmbeddingTable(options: EmbeddingTableOptions): EmbeddingTable {
  const { path, dtype, vocabSize, hiddenSize } = options;
  const rowBytes = hiddenSize * bytesPerElement[dtype];
  const file = openChecked(path, vocabSize * rowBytes);
  const cache = new Map<number, Float32Array>();
  const stored = new ArrayBuffer(rowBytes);
  const storedBytes = new Uint8Array(stored);
  let isOpen = true;

  const load = (id: number): Float32Array => {
    readFully(file, storedBytes, id * rowBytes, path);
    const row = new Float32Array(hiddenSize);
    widen(dtype, stored, row);
    const [oldest] = cache.keys();
    if (cache.size >= cachedRows && oldest !== undefined) cache.delete(oldest);
    return row;
  };

  return {
    vocabSize,
    hiddenSize,
    readRow: (id, target) => {
      invariant(isOpen, 'the embedding table is read after it was closed');
      if (!Number.isInteger(id) || id < 0 || id >= vocabSize) {
        throw new UserError({
          what: `token id ${id} has no embedding, the table holds ids 0 to ${vocabSize - 1}`,
          where: path,
          fix: 'use the tokenizer of the same checkpoint and convert again',
        });
      }
      const row = cache.get(id) ?? load(id);
      cache.delete(id);
      cache.set(id, row);
      target.set(row);
    },
    close: () => {
      if (!isOpen) return;
      isOpen = false;
      cache.clear();
      closeSync(file);
    },
  };
}

function openChecked(path: string, expectedBytes: number): number {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    throw new UserError(
      { what: `cannot open the embedding file (${messageOf(error)})`, where: path, fix: 'convert again' },
      { cause: error },
    );
  }
  const { size } = fstatSync(file);
  if (size !== expectedBytes) {
    closeSync(file);
    throw new UserError({
      what: `embedding file has ${size} bytes instead of ${expectedBytes}`,
      where: path,
      fix: 'convert again',
    });
  }
  return file;
}

function readFully(file: number, target: Uint8Array, position: number, path: string): void {
  let done = 0;
  while (done < target.length) {
    const count = readSync(file, target, done, target.length - done, position + done);
    if (count === 0) {
      throw new UserError({
        what: 'embedding file became shorter while in use',
        where: path,
        fix: 'convert again',
      });
    }
    done += count;
  }
}

/** One stored row -> float32. All supported machines are little-endian, as the file. */
function widen(dtype: EmbeddingTableOptions['dtype'], stored: ArrayBuffer, row: Float32Array): void {
  switch (dtype) {
    case 'F32':
      bytesOf(row).set(new Uint8Array(stored));
      return;
    case 'F16':
      widenFloat16(new Uint16Array(stored), row);
      return;
    case 'BF16':
      widenBfloat16(new Uint16Array(stored), row);
      return;
  }
}
