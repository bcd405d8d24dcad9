import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { BundleManifest } from '../backbone/bundle-manifest.js';
import { messageOf, UserError } from '../core/errors.js';
import { bytesOf } from '../core/tensor.js';
import { writeAtomically } from '../core/write-atomically.js';
import type { Device } from '../engine/devices.js';
import { requiredRuntimeVersion } from '../engine/portable-sessions.js';
import { hashBundle } from './content-hashes.js';

/** Image features on a disk, by the hash of the pixels they were made of. */
export interface FeatureFiles {
  /** Features that were written before; `null` where there are none, or a file that is not whole. */
  read(pixelsSha256: string): Promise<Float32Array | null>;
  /** Writes features; `false` when the folder or its disk is full. */
  write(pixelsSha256: string, features: Float32Array): Promise<boolean>;
}

/**
 * Bytes of all features below a folder: some 3,500 images of LLaVA-1.5-7B. A folder that is full keeps what it has,
 * so that a run repeated finds the same part of it again; the oldest would always go just before they are asked for.
 */
const mostBytes = 32 * 2 ** 30;

/** A SHA-256 ends every file. */
const digestBytes = 32;

async function usedBytes(root: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(root, { recursive: true })) {
    // Another process may be replacing it.
    const found = await stat(path.join(root, name)).catch(() => null);
    if (found?.isFile()) bytes += found.size;
  }
  return bytes;
}

function digestOf(pixelsSha256: string, data: Uint8Array): Buffer {
  return createHash('sha256').update(pixelsSha256).update(data).digest();
}

/**
 * Opens the features of a bundle: files of [tokensPerImage, hiddenSize] float32 and a hash, in a folder of its own
 * below `root`, all of which is bounded. A file that was cut, changed or renamed is as good as none.
 *
 * @throws UserError when the folder cannot be made or read
 */
export async function openFeatureFiles(
  root: string,
  manifest: BundleManifest,
  { device = 'cpu', limit = mostBytes }: { readonly device?: Device; readonly limit?: number } = {},
): Promise<FeatureFiles> {
  // What features depend on beside the pixels: kernels round as their version and the processor let them.
  const processor = device === 'cpu' ? process.arch : device;
  const kernels = `onnxruntime-${requiredRuntimeVersion}-${processor}`;
  const directory = path.join(root, hashBundle(manifest), kernels);
  const floats = manifest.vision.tokensPerImage * manifest.text.hiddenSize;
  const fileBytes = floats * Float32Array.BYTES_PER_ELEMENT + digestBytes;
  const fileOf = (pixelsSha256: string): string => path.join(directory, `${pixelsSha256}.features`);
  let used: number;
  try {
    await mkdir(directory, { recursive: true });
    used = await usedBytes(root);
  } catch (cause) {
    const what = `image features cannot be kept there (${messageOf(cause)})`;
    throw new UserError({ what, where: root, fix: 'give vision-cache another directory' }, { cause });
  }
  let broken = false;
  return {
    async read(pixelsSha256) {
      const content = await readFile(fileOf(pixelsSha256)).catch(() => null);
      if (content?.length !== fileBytes) return null;
      const data = content.subarray(0, -digestBytes);
      if (!digestOf(pixelsSha256, data).equals(content.subarray(-digestBytes))) return null;
      const features = new Float32Array(floats);
      bytesOf(features).set(data);
      return features;
    },
    async write(pixelsSha256, features) {
      if (broken || used + fileBytes > limit) return false;
      const data = bytesOf(features);
      try {
        await writeAtomically(fileOf(pixelsSha256), [data, digestOf(pixelsSha256, data)]);
      } catch {
        // A disk that cannot take one file is not asked for every image: a run does not need it.
        broken = true;
        return false;
      }
      used += fileBytes;
      return true;
    },
  };
}
