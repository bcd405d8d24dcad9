import { readFileSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { messageOf, UserError } from '../core/errors.js';

/** No image that Pillow reads needs a file beyond three bytes a pixel in any of the formats read; see `maxImagePixels`. */
const maxImageFileBytes = 2 ** 29;

/** Below this size a round trip to another thread takes longer than the read itself. */
const smallFileBytes = 256 * 1024;

/**
 * The bytes of an image file.
 *
 * @throws UserError when the file is missing, cannot be read or is too large to be an image
 */
export async function readImageFile(path: string): Promise<Uint8Array> {
  try {
    const { size } = statSync(path);
    if (size > maxImageFileBytes) {
      throw new UserError({
        what: `image file has ${size} bytes, more than the ${maxImageFileBytes} that are read`,
        where: path,
        fix: 'store a smaller image',
      });
    }
    return size <= smallFileBytes ? readFileSync(path) : await readFile(path);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(
      { what: `cannot read the image (${messageOf(error)})`, where: path, fix: 'check the path' },
      { cause: error },
    );
  }
}
