import path from 'node:path';
import { readImage } from '../backbone/decode-image.js';
import { fitImage, type ImageSettings, normaliseImage } from '../backbone/preprocess-image.js';
import { sha256 } from '../core/content-hash.js';
import type { SampleJob } from './sample-job.js';

/** What the vision tower gets of an image. */
export interface ImageInput {
  /** [3, S, S]. */
  readonly pixels: Float32Array;
  /** Hash of the 8-bit samples they are made of. */
  readonly sha256: string;
}

/**
 * Reads and decodes image files, all of a sample at once and those of the next sample ahead of time: decoding runs
 * on other threads while the main one is inside ONNX Runtime.
 */
export class ImageReader {
  readonly #settings: ImageSettings;
  /** Images of the next sample by file, already under way. */
  #ahead = new Map<string, ReturnType<typeof readImage>>();

  constructor(settings: ImageSettings) {
    this.#settings = settings;
  }

  /**
   * Pixel values of every file, in order.
   *
   * @throws UserError naming the first file that cannot be read
   */
  async read(files: readonly string[]): Promise<ImageInput[]> {
    const images = await Promise.all(files.map((file) => this.#ahead.get(file) ?? readImage(file)));
    return images.map((image) => {
      const fitted = fitImage(image, this.#settings);
      return { pixels: normaliseImage(fitted, this.#settings), sha256: sha256(fitted.data) };
    });
  }

  /** Starts reading the images of the sample that comes next. */
  readAhead({ task, sample }: SampleJob): void {
    this.#ahead = new Map();
    for (const name of sample.imageNames) {
      const file = path.join(task.info.imageDir, name);
      const image = readImage(file);
      // The failure is reported when the sample's turn comes.
      image.catch(() => {});
      this.#ahead.set(file, image);
    }
  }
}
