import type { BundleManifest } from '../backbone/bundle-manifest.js';

/**
 * Bytes of float32 weights from which they are better left on the disk: smaller ones fit into memory, where they are
 * rearranged once and products of many rows are up to an eighth faster.
 */
const mappedFrom = 2 * 2 ** 30;

/** Whether so many bytes of weights in a format are used as pages of their file. */
export function areMapped({ dtype }: BundleManifest['weights']['layers'], bytes: number): boolean {
  return dtype === 'fp32' && bytes >= mappedFrom;
}
