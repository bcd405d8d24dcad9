import { z } from 'zod';
import { UserError } from '../core/errors.js';
import { elementCount } from '../core/tensor.js';
import { elementBytes } from './element-bytes.js';
import { printable } from './printable.js';
import { maxRank, type TensorEntry } from './tensor-entry.js';
import { dense } from './tensor-layout.js';

/** Length of the little-endian header size at the start of a safetensors file. */
export const headerLengthBytes = 8;

/** Real headers stay below 1 MB, some 100 bytes a tensor; bounds the memory that a hostile one takes. */
const maxHeaderBytes = 8 * 1024 * 1024;

const size = z.int().nonnegative();
const entrySchema = z.strictObject({
  dtype: z.string().regex(/^\w{1,32}$/, 'is not the name of an element type'),
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
      throw damaged(file, `the data of tensor ${printable(name)} ${how}`);
    }
    end = offset + bytes;
    if (end > fileBytes) {
      throw damaged(
        file,
        `tensor ${printable(name)} ends at byte ${end}, but the file has only ${fileBytes}`,
      );
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
    throw damaged(file, `tensor ${printable(name)}: ${printable([...path, message].join(': '))}`);
  }
  const { dtype, shape, data_offsets: offsets } = parsed.data;
  const bytes = offsets[1] - offsets[0];
  if (bytes < 0) throw damaged(file, `tensor ${printable(name)} ends before it starts`);
  const perElement = elementBytes[dtype];
  if (perElement !== undefined && elementCount(shape) * perElement !== bytes) {
    throw damaged(
      file,
      `tensor ${printable(name)} is ${dtype} [${shape.join(', ')}], which is not ${bytes} bytes`,
    );
  }
  return { name, dtype, dims: shape, offset: dataStart + offsets[0], bytes, layout: dense };
}

/** `JSON.parse` keeps the last of two equal keys without a word, and which one a reader sees must not be chance. */
function refuseRepeatedKeys(text: string, file: string): void {
  const seen = new Set<string>();
  for (const key of outerKeys(text)) {
    if (seen.has(key)) throw damaged(file, `tensor ${printable(key)} is listed twice`);
    seen.add(key);
  }
}

/** The keys of the outermost object of a text that is known to be JSON. */
function* outerKeys(text: string): Generator<string> {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '{') depth++;
    else if (character === '}') depth--;
    else if (character === '"') {
      const start = i++;
      while (text[i] !== '"') i += text[i] === '\\' ? 2 : 1;
      if (depth === 1 && isBeforeColon(text, i + 1)) yield String(JSON.parse(text.slice(start, i + 1)));
    }
  }
}

function isBeforeColon(text: string, position: number): boolean {
  let next = position;
  while (' \t\n\r'.includes(text[next] ?? '}')) next++;
  return text[next] === ':';
}

function damaged(file: string, what: string): UserError {
  return new UserError({ where: file, what, fix: 'the file is damaged or incomplete, download it again' });
}
