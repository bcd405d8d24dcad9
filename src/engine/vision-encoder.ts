import path from 'node:path';
import type { BundleManifest } from '../backbone/bundle-manifest.js';
import { areMapped } from './mapped-weights.js';
import { floatData, floats, type Runtime } from './runtime.js';

/** Intermediate tensors, for golden tests. */
export interface VisionStages {
  /** [1 + patches, visionWidth]: input of the first encoder layer. */
  readonly embeddings: Float32Array;
  /** [patches, visionWidth]: the selected layer without the class token. */
  readonly tower: Float32Array;
  /** [tokensPerImage, hiddenSize]. */
  readonly features: Float32Array;
  /** What a projector of several steps has on the way, [rows, hiddenSize] each, by the names in its graph. */
  readonly inProjector: Readonly<Record<string, Float32Array>>;
}

export interface VisionEncoder {
  /**
   * Features [tokensPerImage, hiddenSize] that stand in the prompt for an image.
   *
   * @param pixels [3, size, size]
   */
  encode(pixels: Float32Array): Promise<Float32Array>;
  stages(pixels: Float32Array): Promise<VisionStages>;
}

/** Opens the vision tower and projector of a bundle. */
export async function openVisionEncoder(
  runtime: Runtime,
  bundle: { readonly directory: string; readonly manifest: BundleManifest },
): Promise<VisionEncoder> {
  const { vision, graphs, weights, matrices } = bundle.manifest;
  const bytes = matrices
    .filter(({ part }) => part.startsWith('vision.'))
    .reduce((sum, part) => sum + part.bytes, 0);
  const mapsWeights = areMapped(weights.vision, bytes);
  const options = { onDevice: true, mapsWeights };
  const graph = await runtime.open(path.join(bundle.directory, graphs.vision), options);
  const dims = [1, 3, vision.imageSize, vision.imageSize];
  return {
    encode: async (pixels) => {
      const result = await graph.run({ pixels: floats(pixels, dims) }, { outputs: ['features'] });
      return floatData(result['features']!);
    },
    stages: async (pixels) => {
      const { embeddings, tower, features, ...others } = await graph.run({ pixels: floats(pixels, dims) });
      return {
        embeddings: floatData(embeddings!),
        tower: floatData(tower!),
        features: floatData(features!),
        inProjector: Object.fromEntries(Object.entries(others).map(([name, one]) => [name, floatData(one)])),
      };
    },
  };
}
