import { createHash } from 'node:crypto';
import { type FileHandle, open, stat } from 'node:fs/promises';
import path from 'node:path';
import { bundleFormat, bundleManifestName } from '../backbone/bundle-manifest.js';
import { type Bundle, openBundle } from '../backbone/open-bundle.js';
import type { SourceFile } from '../checkpoint/source-files.js';
import { UserError } from '../core/errors.js';

/** Files up to this size are hashed whole: that covers every config and takes no noticeable time. */
const hashedWholeBytes = 64 * 2 ** 20;

/** Of larger files the first and last bytes: they name every tensor and its place, torch's zip directory its checksum. */
const sampledBytes = 2 ** 20;

/** Digits of the hash in a directory name. */
const nameDigits = 12;

async function readRange(handle: FileHandle, start: number, length: number): Promise<Uint8Array> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, start);
  return buffer.subarray(0, bytesRead);
}

/**
 * Fingerprint of a checkpoint, quick for large models: content of small files; size, time of change, head and tail of
 * large ones. Decides only which cached bundle belongs to it; the bundle itself carries full hashes.
 */
export async function checkpointFingerprint(files: readonly SourceFile[]): Promise<string> {
  const hash = createHash('sha256').update(`${bundleFormat}`);
  for (const file of [...files].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const handle = await open(file.path, 'r');
    try {
      const { size, mtimeMs } = await handle.stat();
      const whole = size <= hashedWholeBytes;
      hash.update(JSON.stringify([file.name, size, whole ? null : mtimeMs]));
      hash.update(await readRange(handle, 0, whole ? size : sampledBytes));
      if (!whole) hash.update(await readRange(handle, size - sampledBytes, sampledBytes));
    } finally {
      await handle.close();
    }
  }
  return hash.digest('hex').slice(0, nameDigits);
}

export type BackboneKind = 'bundle' | 'checkpoint';

async function isFile(file: string): Promise<boolean> {
  return (await stat(file).catch(() => null))?.isFile() ?? false;
}

/** What a directory holds. Throws a `UserError` when it is neither. */
export async function backboneKind(directory: string, where: string): Promise<BackboneKind> {
  if (await isFile(path.join(directory, bundleManifestName))) return 'bundle';
  if (await isFile(path.join(directory, 'config.json'))) return 'checkpoint';
  const what = `"${directory}" holds neither ${bundleManifestName} (a bundle) nor config.json (a checkpoint)`;
  throw new UserError({ what, where, fix: '`lookm list backbones` shows what is there' });
}

/** A bundle in the cache that is complete and of the current format, `null` otherwise. */
export async function findCachedBundle(directory: string): Promise<Bundle | null> {
  if (!(await isFile(path.join(directory, bundleManifestName)))) return null;
  try {
    return await openBundle(directory, { verify: 'sizes' });
  } catch (error) {
    if (error instanceof UserError) return null;
    throw error;
  }
}
