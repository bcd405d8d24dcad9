import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';

/** The hub knows large files by their SHA-256 and small ones by the name that git gives them. */
export interface Checksum {
  readonly algorithm: 'sha256' | 'git-blob';
  /** Hexadecimal. */
  readonly hex: string;
}

/** A hash that has seen whatever comes before the content of a file of `bytes` bytes. */
export function startHash({ algorithm }: Checksum, bytes: number): Hash {
  if (algorithm === 'sha256') return createHash('sha256');
  return createHash('sha1').update(`blob ${bytes}\0`);
}

/** Adds the first `bytes` bytes of a file to a hash. */
export async function hashFile(
  hash: Hash,
  file: string,
  { bytes, signal }: { readonly bytes: number; readonly signal: AbortSignal },
): Promise<void> {
  if (bytes === 0) return;
  for await (const chunk of createReadStream(file, { end: bytes - 1, signal })) hash.update(chunk);
}
