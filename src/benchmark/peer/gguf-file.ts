import { type FileHandle, open } from 'node:fs/promises';

/** Element types of tensors with their GGML codes: elements in a block, bytes of a block. */
export const ggufTypes = Object.freeze({
  f32: { code: 0, elements: 1, bytes: 4 },
  /** 4 bits a weight, one float16 scale in front of every 32 of them. */
  q4_0: { code: 2, elements: 32, bytes: 18 },
} as const);
export type GgufType = keyof typeof ggufTypes;

export type GgufValue =
  | { readonly type: 'u32'; readonly value: number }
  | { readonly type: 'f32'; readonly value: number }
  | { readonly type: 'string'; readonly value: string };

export interface GgufTensor {
  readonly name: string;
  readonly type: GgufType;
  /** [out, in], as everywhere here; the file says it the other way round. */
  readonly dims: readonly number[];
  /** `tensorBytes` bytes in pieces. */
  readonly blocks: () => Iterable<Uint8Array>;
}

const version = 3;
/** Start of every tensor and of all of them, in bytes. */
const alignment = 32;
const valueCodes = { u32: 4, f32: 6, string: 8 } as const;

export function tensorBytes({ type, dims }: Pick<GgufTensor, 'type' | 'dims'>): number {
  const { elements, bytes } = ggufTypes[type];
  return (dims.reduce((product, dim) => product * dim, 1) / elements) * bytes;
}

/** Writes a GGUF file, the format of llama.cpp (version 3, little-endian; source: `ggml/include/gguf.h`). */
export async function writeGgufFile(
  path: string,
  metadata: Readonly<Record<string, GgufValue>>,
  tensors: readonly GgufTensor[],
): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await write(file, padded(ggufHeader(metadata, tensors)));
    for (const tensor of tensors) {
      for (const block of tensor.blocks()) await write(file, block);
      await write(file, new Uint8Array(gap(tensorBytes(tensor))));
    }
  } finally {
    await file.close();
  }
}

function ggufHeader(
  metadata: Readonly<Record<string, GgufValue>>,
  tensors: readonly GgufTensor[],
): Uint8Array {
  const parts: Buffer[] = [];
  const u32 = (value: number): void => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    parts.push(bytes);
  };
  const f32 = (value: number): void => {
    const bytes = Buffer.alloc(4);
    bytes.writeFloatLE(value);
    parts.push(bytes);
  };
  const u64 = (value: number): void => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(value));
    parts.push(bytes);
  };
  const text = (value: string): void => {
    const bytes = Buffer.from(value);
    u64(bytes.length);
    parts.push(bytes);
  };
  parts.push(Buffer.from('GGUF'));
  u32(version);
  u64(tensors.length);
  u64(Object.keys(metadata).length);
  for (const [key, entry] of Object.entries(metadata)) {
    text(key);
    u32(valueCodes[entry.type]);
    if (entry.type === 'string') text(entry.value);
    else if (entry.type === 'u32') u32(entry.value);
    else f32(entry.value);
  }
  let offset = 0;
  for (const tensor of tensors) {
    text(tensor.name);
    u32(tensor.dims.length);
    for (const dim of [...tensor.dims].reverse()) u64(dim);
    u32(ggufTypes[tensor.type].code);
    u64(offset);
    const bytes = tensorBytes(tensor);
    offset += bytes + gap(bytes);
  }
  return Buffer.concat(parts);
}

function gap(bytes: number): number {
  return (alignment - (bytes % alignment)) % alignment;
}

function padded(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([bytes, new Uint8Array(gap(bytes.length))]);
}

async function write(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done);
    done += bytesWritten;
  }
}
