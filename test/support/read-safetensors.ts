import { readFileSync } from 'node:fs';
import { z } from 'zod';

const entrySchema = z.object({
  dtype: z.enum(['F32', 'F16', 'I32', 'I64', 'U8']),
  shape: z.array(z.int().nonnegative()),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});

/** The element type of a stored tensor and the typed array that holds it; F16 stays in its 16 bits. */
interface ArrayOfDtype {
  F32: Float32Array;
  F16: Uint16Array;
  I32: Int32Array;
  I64: BigInt64Array;
  U8: Uint8Array;
}

export type StoredDtype = keyof ArrayOfDtype;

/** One tensor of a safetensors file, row-major, discriminated by `dtype`. */
export type StoredTensor = {
  [Dtype in StoredDtype]: {
    readonly dtype: Dtype;
    readonly dims: readonly number[];
    readonly data: ArrayOfDtype[Dtype];
  };
}[StoredDtype];

export interface SafetensorsFile {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Reads a whole safetensors fixture into memory; every tensor is a copy, so alignment never matters. */
export function readSafetensors(path: string): SafetensorsFile {
  const bytes = readFileSync(path);
  const headerBytes = Number(bytes.readBigUInt64LE(0));
  const header = z
    .record(z.string(), z.unknown())
    .parse(JSON.parse(bytes.toString('utf8', 8, 8 + headerBytes)));
  const tensors = new Map<string, StoredTensor>();
  let metadata: Record<string, string> = {};
  for (const [name, field] of Object.entries(header)) {
    if (name === '__metadata__') {
      metadata = z.record(z.string(), z.string()).parse(field);
      continue;
    }
    const { dtype, shape, data_offsets: offsets } = entrySchema.parse(field);
    const start = 8 + headerBytes + offsets[0];
    const buffer = new Uint8Array(bytes.subarray(start, 8 + headerBytes + offsets[1])).buffer;
    tensors.set(name, storedTensor(dtype, shape, buffer));
  }
  return { tensors, metadata };
}

/** The F32 values of a named tensor; throws when the file lacks it or stores another type. */
export function float32Values(file: SafetensorsFile, name: string): Float32Array {
  const tensor = file.tensors.get(name);
  if (tensor?.dtype !== 'F32') throw new Error(`no F32 tensor "${name}" in the fixture`);
  return tensor.data;
}

/** The I32 values of a named tensor; throws when the file lacks it or stores another type. */
export function int32Values(file: SafetensorsFile, name: string): Int32Array {
  const tensor = file.tensors.get(name);
  if (tensor?.dtype !== 'I32') throw new Error(`no I32 tensor "${name}" in the fixture`);
  return tensor.data;
}

function storedTensor(dtype: StoredDtype, dims: readonly number[], buffer: ArrayBuffer): StoredTensor {
  switch (dtype) {
    case 'F32':
      return { dtype, dims, data: new Float32Array(buffer) };
    case 'F16':
      return { dtype, dims, data: new Uint16Array(buffer) };
    case 'I32':
      return { dtype, dims, data: new Int32Array(buffer) };
    case 'I64':
      return { dtype, dims, data: new BigInt64Array(buffer) };
    case 'U8':
      return { dtype, dims, data: new Uint8Array(buffer) };
  }
}
