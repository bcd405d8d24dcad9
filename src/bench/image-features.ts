import type { FeatureFiles } from './feature-files.js';
import type { ImageInput } from './image-worker.js';
import type { FeatureCounts } from './sample-job.js';

/** Features kept in memory: enough for the images that neighbouring samples share, bounded for long runs. */
const mostMemoryBytes = 256 * 2 ** 20;

/**
 * Features [tokensPerImage, hiddenSize] of images by the hash of their pixels: from memory, where those used last are
 * kept, else from files of earlier runs, else from the vision tower. The same image has the same features to the bit,
 * wherever they come from.
 */
export class ImageFeatures {
  readonly #encode: (pixels: Float32Array) => Promise<Float32Array>;
  readonly #files: FeatureFiles | null;
  readonly #mostBytes: number;
  /** Least recently used first. */
  readonly #known = new Map<string, Float32Array>();
  #knownBytes = 0;
  /** Files are written one after the other, while the images are already in use. */
  #written = Promise.resolve();
  readonly #counts = { encoded: 0, fromMemory: 0, fromDisk: 0, unwritten: 0 };

  constructor(
    encode: (pixels: Float32Array) => Promise<Float32Array>,
    {
      files,
      mostBytes = mostMemoryBytes,
    }: { readonly files: FeatureFiles | null; readonly mostBytes?: number },
  ) {
    this.#encode = encode;
    this.#files = files;
    this.#mostBytes = mostBytes;
  }

  get counts(): FeatureCounts {
    return { ...this.#counts };
  }

  /** The features of an image; they are shared and must not be changed. */
  async of({ pixels, sha256 }: ImageInput): Promise<Float32Array> {
    const known = this.#known.get(sha256);
    if (known !== undefined) {
      this.#counts.fromMemory++;
      this.#known.delete(sha256);
      this.#known.set(sha256, known);
      return known;
    }
    const stored = (await this.#files?.read(sha256)) ?? null;
    if (stored === null) this.#counts.encoded++;
    else this.#counts.fromDisk++;
    const features = stored ?? (await this.#encode(pixels));
    if (stored === null) this.#write(sha256, features);
    this.#remember(sha256, features);
    return features;
  }

  /** Waits until all files are written. */
  async close(): Promise<void> {
    await this.#written;
  }

  #remember(sha256: string, features: Float32Array): void {
    this.#known.set(sha256, features);
    this.#knownBytes += features.byteLength;
    for (const [oldest, { byteLength }] of this.#known) {
      if (this.#knownBytes <= this.#mostBytes) break;
      this.#known.delete(oldest);
      this.#knownBytes -= byteLength;
    }
  }

  #write(sha256: string, features: Float32Array): void {
    const files = this.#files;
    if (files === null) return;
    this.#written = this.#written.then(async () => {
      if (!(await files.write(sha256, features))) this.#counts.unwritten++;
    });
  }
}
