import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { messageOf, UserError } from '../core/errors.js';
import { readJsonFile } from '../core/json-file.js';
import {
  type BundleManifest,
  bundleFormat,
  bundleManifestName,
  bundleManifestSchema,
} from './bundle-manifest.js';
import { tokenizerFileNames } from './tokenizer.js';

/** A converted model on disk. */
export interface Bundle {
  readonly directory: string;
  readonly manifest: BundleManifest;
}

export interface OpenBundleOptions {
  /** `sizes` finds missing and truncated files at once; `hashes` reads every byte. */
  readonly verify: 'sizes' | 'hashes';
}

const convertAgain = 'run lookm convert again';
const formatSchema = z.looseObject({ format: z.unknown() });

/**
 * Opens a bundle directory: reads its manifest and checks every file it lists.
 *
 * Throws `UserError` when the manifest is missing or malformed, the bundle has another format, or a file is missing,
 * has another size or another hash, or lies outside the directory.
 */
export async function openBundle(directory: string, options: OpenBundleOptions): Promise<Bundle> {
  const manifest = await readManifest(directory);
  for (const file of manifest.files) await checkFile(directory, file, options.verify);
  return { directory, manifest };
}

async function readManifest(directory: string): Promise<BundleManifest> {
  const path = join(directory, bundleManifestName);
  const { format } = await readJsonFile(path, formatSchema, convertAgain);
  if (format !== bundleFormat) {
    throw new UserError({
      what: `bundle format ${JSON.stringify(format)} is not the format ${bundleFormat} this version reads`,
      where: path,
      fix: convertAgain,
    });
  }
  const manifest = await readJsonFile(path, bundleManifestSchema, convertAgain);
  const listed = new Set(manifest.files.map((file) => file.path));
  const { embedding, graphs } = manifest;
  for (const name of [embedding.file, ...graphs.segments, graphs.vision, ...tokenizerFileNames]) {
    if (!listed.has(name)) {
      throw new UserError({
        what: `uses ${name} but does not list it under files`,
        where: path,
        fix: convertAgain,
      });
    }
  }
  return manifest;
}

async function checkFile(
  directory: string,
  expected: BundleManifest['files'][number],
  verify: OpenBundleOptions['verify'],
): Promise<void> {
  const path = join(directory, expected.path);
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    const found = await handle.stat();
    if (!found.isFile()) throw new UserError({ what: 'is not a file', where: path, fix: convertAgain });
    if (found.size !== expected.bytes) {
      throw new UserError({
        what: `has ${found.size} bytes instead of ${expected.bytes}`,
        where: path,
        fix: convertAgain,
      });
    }
    if (verify === 'hashes') await checkHash(path, expected.sha256);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(
      { what: `cannot be read (${messageOf(error)})`, where: path, fix: convertAgain },
      { cause: error },
    );
  } finally {
    await handle?.close();
  }
}

async function checkHash(path: string, expected: string): Promise<void> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  if (hash.digest('hex') !== expected) {
    throw new UserError({
      what: 'has another SHA-256 than when it was converted',
      where: path,
      fix: convertAgain,
    });
  }
}
