import path from 'node:path';
import type { BundleManifest } from '../backbone/bundle-manifest.js';
import { sha256 } from '../core/content-hash.js';
import { bytesOf } from '../core/tensor.js';
import { floatData, floats, type Runtime } from './runtime.js';

export interface EncodedImage {
  /** [tokensPerImage, hiddenSize]: what stands in the prompt for the image. */
  readonly features: Float32Array;
  /** Hash of the pixel values. */
  readonly sha256: string;
}

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
  /** @param pixels [3, size, size]; equal pixels are encoded once */
  encode(pixels: Float32Array): Promise<EncodedImage>;
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
    encode: async (pixels) => {
      const key = sha256(bytesOf(pixels));
      const hit = known.get(key);
      if (hit !== undefined) return { features: hit, sha256: key };
      const result = await graph.run({ pixels: floats(pixels, dims) }, ['features']);
      const features = floatData(result['features']!);
      remember(key, features);
      return { features, sha256: key };
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
