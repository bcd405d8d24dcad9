import { basename, resolve } from 'node:path';
import type { BundleManifest } from '../backbone/bundle-manifest.js';
import { openCheckpoint } from '../checkpoint/open-checkpoint.js';
import { hashFiles, totalBytes } from '../checkpoint/source-files.js';
import { type BundleOptions, writeBundle } from './write-bundle.js';

export interface ConvertOptions extends BundleOptions {
  /** Directory of the checkpoint. */
  readonly checkpoint: string;
  /** Directory of the vision tower, where it is a repository of its own and not beside the checkpoint. */
  readonly vision?: string | undefined;
  /** Name of the bundle; the name of the checkpoint's directory when left out. */
  readonly name?: string | undefined;
}

/**
 * Turns a checkpoint into a bundle of ONNX graphs with external weights.
 *
 * Tensors are streamed in blocks, so memory does not grow with the model. The bundle depends on the
 * checkpoint's content and the options only: the same input gives the same bytes. It appears at `out` when it
 * is complete.
 *
 * Throws `UserError` for checkpoints that are damaged or not supported (see `openCheckpoint`), for an `out`
 * that is no bundle, and when the disk is too small.
 */
export async function convertCheckpoint(options: ConvertOptions): Promise<BundleManifest> {
  const checkpoint = await openCheckpoint({ path: options.checkpoint, vision: options.vision });
  const { family, sourceFiles } = checkpoint;
  try {
    const origin = {
      name: options.name ?? basename(resolve(options.checkpoint)),
      bytes: await totalBytes(sourceFiles),
      describe: async (onBytes: (bytes: number) => void) => ({
        kind: 'checkpoint' as const,
        layout: family.layout,
        files: await hashFiles(sourceFiles, onBytes),
      }),
    };
    return await writeBundle(checkpoint, origin, options);
  } finally {
    await checkpoint.close();
  }
}
