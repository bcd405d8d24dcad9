import type { BundleManifest } from '../backbone/bundle-manifest.js';

/** Stored bytes of the matrices that every token passes: those of all decoder layers, and the output matrix. */
export function weightBytes({ matrices }: Pick<BundleManifest, 'matrices'>): number {
  const passed = matrices.filter(({ part }) => part.startsWith('layers.') || part === 'text.head');
  return passed.reduce((sum, { bytes }) => sum + bytes, 0);
}
