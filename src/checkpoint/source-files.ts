import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileExists } from '../core/json-file.js';

/** A file of a checkpoint: where it is, and what it is called in a manifest. */
export interface SourceFile {
  readonly path: string;
  /** Relative, with forward slashes; the same wherever the checkpoint lies. */
  readonly name: string;
}

/** Those of `names` that are files in `dir`. */
export async function presentFiles(dir: string, names: readonly string[]): Promise<SourceFile[]> {
  const files = names.map((name) => ({ path: join(dir, name), name }));
  const present = await Promise.all(files.map(({ path }) => fileExists(path)));
  return files.filter((_, index) => present[index]);
}

/** SHA-256 of files in order of name, read as streams. `onBytes` hears of every block. */
export async function hashFiles(
  files: readonly SourceFile[],
  onBytes: (bytes: number) => void = () => {},
): Promise<{ path: string; sha256: string }[]> {
  const hashes: { path: string; sha256: string }[] = [];
  const ordered = [...files].sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const { path, name } of ordered) {
    const hash = createHash('sha256');
    for await (const block of createReadStream(path) as AsyncIterable<Uint8Array>) {
      hash.update(block);
      onBytes(block.length);
    }
    hashes.push({ path: name, sha256: hash.digest('hex') });
  }
  return hashes;
}

/** Bytes of all files together. */
export async function totalBytes(files: readonly SourceFile[]): Promise<number> {
  const sizes = await Promise.all(files.map(async ({ path }) => (await stat(path)).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
