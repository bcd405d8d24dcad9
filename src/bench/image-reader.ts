import path from 'node:path';
import { readImage } from '../backbone/decode-image.js';
import { type ImageSettings, preprocessImage } from '../backbone/preprocess-image.js';
import type { SampleJob } from './sample-job.js';

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
   * Pixel values [3, S, S] of every file, in order.
   *
   * @throws UserError naming the first file that cannot be read
   */
  async read(files: readonly string[]): Promise<Float32Array[]> {
    const images = await Promise.all(files.map((file) => this.#ahead.get(file) ?? readImage(file)));
    return images.map((image) => preprocessImage(image, this.#settings));
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
