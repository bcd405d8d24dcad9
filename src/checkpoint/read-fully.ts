import type { FileHandle } from 'node:fs/promises';
import { UserError } from '../core/errors.js';

/** A file that is open for reading. */
export interface OpenFile {
  readonly path: string;
  readonly handle: FileHandle;
}

/**
 * Fills `target` from byte `position` on.
 *
 * @param part what is read, as the message names it
 * @throws UserError when the file ends before
 */
export async function readFully(
  file: OpenFile,
  target: Uint8Array,
  { position, part }: { position: number; part: string },
): Promise<void> {
  for (let done = 0; done < target.length; ) {
    const { bytesRead } = await file.handle.read(target, done, target.length - done, position + done);
    if (bytesRead === 0) {
      throw new UserError({ where: file.path, what: `ends inside ${part}`, fix: 'download it again' });
    }
    done += bytesRead;
  }
}
