import { basename, resolve } from 'node:path';
import type { BundleManifest } from '../backbone/bundle-manifest.js';
import { type RandomModelOptions, randomModel } from '../checkpoint/random/random-model.js';
import { type BundleOptions, writeBundle } from './write-bundle.js';

export interface ConvertRandomOptions extends BundleOptions {
  readonly model: RandomModelOptions;
}

/**
 * Writes a bundle of a published model's sizes with random weights, for measuring what the model costs. The manifest
 * marks it, and no accuracy is reported of it. The same options give the same bytes.
 *
 * @throws UserError for an `out` that is no bundle, and when the disk is too small
 */
export function convertRandom(options: ConvertRandomOptions): Promise<BundleManifest> {
  const { sizes, seed } = options.model;
  const origin = {
    name: basename(resolve(options.out)),
    bytes: 0,
    describe: async () => ({
      kind: 'random' as const,
      model: sizes.name,
      seed,
      modelLayers: sizes.layers,
    }),
  };
  return writeBundle(randomModel(options.model), origin, options);
}
