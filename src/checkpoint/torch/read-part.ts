import { type OpenFile, readFully } from '../read-fully.js';
import { damaged } from './torch-fault.js';

/** Bytes of a file from `position` on. Throws `UserError` when it ends before. */
export async function readPart(
  file: OpenFile,
  { position, bytes, part }: { position: number; bytes: number; part: string },
): Promise<Buffer> {
  const target = Buffer.alloc(bytes);
  await readFully(file, target, { position, part });
  return target;
}

/** The 64-bit number at `offset` if it is exact, as every size and place of a real file is. */
export function exactUint64(
  bytes: Buffer,
  offset: number,
  { path, part }: { path: string; part: string },
): number {
  const value = bytes.readBigUInt64LE(offset);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw damaged(path, `${part} claims ${value} bytes`);
  return Number(value);
}
