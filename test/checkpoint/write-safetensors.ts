import { writeFile } from 'node:fs/promises';

/** A tensor to be written, its data as they lie in the file. */
export interface RawTensor {
  readonly dtype: string;
  readonly dims: readonly number[];
  readonly data: Uint8Array;
}

/** A safetensors file from a header, given as text so that it may be wrong, and the data after it. */
export function rawSafetensors(header: string, data: Uint8Array, claimedLength?: bigint): Buffer {
  const text = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(claimedLength ?? BigInt(text.length));
  return Buffer.concat([length, text, data]);
}

/** Writes a well-formed safetensors file. */
export async function writeSafetensors(path: string, tensors: ReadonlyMap<string, RawTensor>): Promise<void> {
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  let end = 0;
  for (const [name, { dtype, dims, data }] of tensors) {
    header[name] = { dtype, shape: dims, data_offsets: [end, end + data.length] };
    end += data.length;
  }
  const data = Buffer.concat([...tensors.values()].map((tensor) => tensor.data));
  await writeFile(path, rawSafetensors(JSON.stringify(header), data));
}

/** Float32 values as bytes of another type; the values must be exact in it. */
export function encodeFloats(values: Float32Array, dtype: 'F32' | 'F16' | 'BF16'): Uint8Array {
  if (dtype === 'F32') return new Uint8Array(values.slice().buffer);
  const bits = new Uint32Array(values.slice().buffer);
  const halves = Uint16Array.from(bits, (word) => {
    if (dtype === 'BF16') return word >>> 16;
    const exponent = (word >>> 23) & 0xff;
    if (exponent === 0) return 0;
    return ((word >>> 16) & 0x8000) | ((exponent - 112) << 10) | ((word >>> 13) & 0x3ff);
  });
  return new Uint8Array(halves.buffer);
}
