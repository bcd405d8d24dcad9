import path from 'node:path';
import type { BundleManifest } from '../backbone/bundle-manifest.js';
import { floatData, floats, type Runtime } from './runtime.js';

/** Intermediate tensors, for golden tests. */
export interface VisionStages {
  /** [1 + patches, visionWidth]: input of the first encoder layer. */
  readonly embeddings: Float32Array;
  /** [patches, visionWidth]: the selected layer without the class token. */
  readonly tower: Float32Array;
  /** [tokensPerImage, hiddenSize]. */
  readonly features: Float32Array;
}

export interface VisionEncoder {
  /**
   * Features [tokensPerImage, hiddenSize] that stand in the prompt for an image.
   *
   * @param image pixels [3, size, size] and a hash of their content: equal images are encoded once
   */
  encode(image: { readonly pixels: Float32Array; readonly sha256: string }): Promise<Float32Array>;
  stages(pixels: Float32Array): Promise<VisionStages>;
}

/** Features kept in memory: enough for the images that neighbouring samples share, bounded for long runs. */
const featureCacheBytes = 256 * 1024 * 1024;

/** Opens the vision tower and projector of a bundle. */
export async function openVisionEncoder(
  runtime: Runtime,
  bundle: { readonly directory: string; readonly manifest: BundleManifest },
): Promise<VisionEncoder> {
  const { vision, graphs } = bundle.manifest;
  const graph = await runtime.open(path.join(bundle.directory, graphs.vision));
  const dims = [1, 3, vision.imageSize, vision.imageSize];
  const known = new Map<string, Float32Array>();
  let knownBytes = 0;
  const remember = (key: string, features: Float32Array): void => {
    known.set(key, features);
    knownBytes += features.byteLength;
    for (const [oldest, data] of known) {
      if (knownBytes <= featureCacheBytes) break;
      known.delete(oldest);
      knownBytes -= data.byteLength;
    }
  };
  return {
    encode: async ({ pixels, sha256 }) => {
      const hit = known.get(sha256);
      if (hit !== undefined) return hit;
      const result = await graph.run({ pixels: floats(pixels, dims) }, ['features']);
      const features = floatData(result['features']!);
      remember(sha256, features);
      return features;
    },
    stages: async (pixels) => {
      const result = await graph.run({ pixels: floats(pixels, dims) });
      return {
        embeddings: floatData(result['embeddings']!),
        tower: floatData(result['tower']!),
        features: floatData(result['features']!),
      };
    },
  };
}
