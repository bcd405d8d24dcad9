import { z } from 'zod';
import { UserError } from '../core/errors.js';
import { elementCount } from '../core/tensor.js';
import type { TensorEntry } from './tensor-entry.js';

/** Length of the little-endian header size at the start of a safetensors file. */
export const headerLengthBytes = 8;

/** The limit of the reference implementation; real headers stay below 1 MB. */
export const maxHeaderBytes = 100_000_000;

/** No tensor of a language model has more axes; bounds the product of a hostile shape. */
const maxRank = 16;

/** Bytes per element of the element types whose size is a whole number of bytes. */
const elementBytes: Readonly<Record<string, number>> = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
};

const size = z.int().nonnegative();
const entrySchema = z.strictObject({
  dtype: z.string(),
  shape: z.array(size).max(maxRank),
  data_offsets: z.tuple([size, size]),
});

/** The header length from the first eight bytes. Throws `UserError` when no such header can be in the file. */
export function headerLength(prefix: Uint8Array, fileBytes: number, file: string): number {
  const length = new DataView(prefix.buffer, prefix.byteOffset, prefix.byteLength).getBigUint64(0, true);
  if (length > BigInt(maxHeaderBytes)) {
    throw damaged(file, `the header claims ${length} bytes, more than the allowed ${maxHeaderBytes}`);
  }
  if (headerLengthBytes + Number(length) > fileBytes) {
    throw damaged(file, `the header claims ${length} bytes, but the file has only ${fileBytes}`);
  }
  return Number(length);
}

/**
 * The tensors of one safetensors file, in the order of their bytes.
 *
 * Throws `UserError`, naming file and tensor, for broken JSON, names given twice, sizes that disagree with
 * shape and element type, and data that overlap, leave holes or end elsewhere than the file does.
 */
export function parseHeader(header: Uint8Array, fileBytes: number, file: string): TensorEntry[] {
  const text = new TextDecoder().decode(header);
  const dataStart = headerLengthBytes + header.byteLength;
  const entries = jsonObject(text, file).map(([name, value]) => tensorEntry(name, value, dataStart, file));
  refuseRepeatedKeys(text, file);
  entries.sort((a, b) => a.offset - b.offset || a.bytes - b.bytes);
  let end = dataStart;
  for (const { name, offset, bytes } of entries) {
    if (offset !== end) {
      const how = offset < end ? 'overlap the tensor before' : 'leave a hole after the tensor before';
      throw damaged(file, `the data of tensor ${name} ${how}`);
    }
    end = offset + bytes;
    if (end > fileBytes) {
      throw damaged(file, `tensor ${name} ends at byte ${end}, but the file has only ${fileBytes}`);
    }
  }
  if (end !== fileBytes) throw damaged(file, `${fileBytes - end} bytes at the end belong to no tensor`);
  return entries;
}

function jsonObject(text: string, file: string): [string, unknown][] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw damaged(file, 'the header is not JSON');
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw damaged(file, 'the header is not a JSON object');
  }
  return Object.entries(value).filter(([name]) => name !== '__metadata__');
}

function tensorEntry(name: string, value: unknown, dataStart: number, file: string): TensorEntry {
  const parsed = entrySchema.safeParse(value);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    throw damaged(file, `tensor ${name}: ${[...path, message].join(': ')}`);
  }
  const { dtype, shape, data_offsets: offsets } = parsed.data;
  const bytes = offsets[1] - offsets[0];
  if (bytes < 0) throw damaged(file, `tensor ${name} ends before it starts`);
  const perElement = elementBytes[dtype];
  if (perElement !== undefined && elementCount(shape) * perElement !== bytes) {
    throw damaged(file, `tensor ${name} is ${dtype} [${shape.join(', ')}], which is not ${bytes} bytes`);
  }
  return { name, dtype, dims: shape, offset: dataStart + offsets[0], bytes };
}

/** `JSON.parse` keeps the last of two equal keys without a word, and which one a reader sees must not be chance. */
function refuseRepeatedKeys(text: string, file: string): void {
  const seen = new Set<string>();
  let depth = 0;
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}]/g)) {
    if (token === '{') depth++;
    else if (token === '}') depth--;
    else if (depth === 1 && /^\s*:/.test(text.slice(index + token.length, index + token.length + 8))) {
      const key = String(JSON.parse(token));
      if (seen.has(key)) throw damaged(file, `tensor ${key} is listed twice`);
      seen.add(key);
    }
  }
}

function damaged(file: string, what: string): UserError {
  return new UserError({ where: file, what, fix: 'the file is damaged or incomplete, download it again' });
}
