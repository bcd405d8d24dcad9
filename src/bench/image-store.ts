import { decodeImage } from '../backbone/decode-image.js';
import { readImageFile } from '../backbone/image-file.js';
import { fitImage, type ImageSettings } from '../backbone/preprocess-image.js';
import type { RgbImage } from '../backbone/rgb-image.js';
import { sha256 } from '../core/content-hash.js';
import { UserError } from '../core/errors.js';

/**
 * Bytes of fitted images that are kept: some 800 images of 336 x 336, more than MileBench shows in a row, and little
 * beside the weights of any backbone.
 */
const mostFittedBytes = 256 * 2 ** 20;

/** An image in the 8-bit form the vision tower's input is made of. */
export interface FittedImage {
  /** [S, S, 3] */
  readonly image: RgbImage;
  /** Hash of its samples. */
  readonly sha256: string;
}

export interface StoredImage extends FittedImage {
  /** Whether the same content had been decoded, or was being decoded, for an earlier request. */
  readonly reused: boolean;
}

/**
 * Reads, decodes and fits images, each content once while it is kept: files that hold the same bytes share one image,
 * whatever their names. What was used last is kept longest. Images stay in their 8-bit form, a quarter of the tower's
 * floats.
 */
export class ImageStore {
  readonly #settings: ImageSettings;
  readonly #mostImages: number;
  /** By hash of the file's bytes, least recently used first. */
  readonly #fitted = new Map<string, Promise<FittedImage>>();

  constructor(
    settings: ImageSettings,
    { mostBytes = mostFittedBytes }: { readonly mostBytes?: number } = {},
  ) {
    this.#settings = settings;
    this.#mostImages = Math.max(1, Math.floor(mostBytes / (3 * settings.size ** 2)));
  }

  /** @throws UserError when the file cannot be read or decoded */
  async read(file: string): Promise<StoredImage> {
    const bytes = await readImageFile(file);
    const content = sha256(bytes);
    const known = this.#fitted.get(content);
    const fitted = known ?? this.#decode(bytes, file);
    this.#fitted.delete(content);
    this.#fitted.set(content, fitted);
    if (this.#fitted.size > this.#mostImages) this.#fitted.delete(this.#fitted.keys().next().value!);
    try {
      return { ...(await fitted), reused: known !== undefined };
    } catch (error) {
      this.#fitted.delete(content);
      if (!(error instanceof UserError)) throw error;
      // The image may have been decoded under another file's name.
      throw new UserError({ ...error.problem, where: file }, { cause: error });
    }
  }

  async #decode(bytes: Uint8Array, file: string): Promise<FittedImage> {
    const image = fitImage(await decodeImage(bytes, file), this.#settings);
    return { image, sha256: sha256(image.data) };
  }
}
