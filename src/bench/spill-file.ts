import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, rm, statfs } from 'node:fs/promises';
import path from 'node:path';
import { invariant, messageOf, UserError } from '../core/errors.js';
import { bytesOf } from '../core/tensor.js';

/** What goes through the file. */
type SpilledArray = Float32Array | Int8Array;

/** A temporary file of arrays, written from front to back. */
export interface SpillFile {
  /** Bytes moved so far, in and out, and milliseconds they took. */
  readonly moved: { readonly bytes: number; readonly milliseconds: number };
  /** Appends the array; where it lies. */
  append(data: SpilledArray): Promise<number>;
  /** Fills the array with what lies there. */
  read(offset: number, data: SpilledArray): Promise<void>;
  /** Forgets the content, so that the file can be filled again. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

/** Bytes that may be written to the disk of a directory, which is made; none where it cannot be. */
export async function freeDiskBytes(directory: string): Promise<number> {
  try {
    await mkdir(directory, { recursive: true });
    const { bavail, bsize } = await statfs(directory);
    return bavail * bsize;
  } catch (error) {
    if (isDiskError(error)) return 0;
    throw error;
  }
}

/**
 * Opens a file in the directory, which is made, that has no name, so that nothing is left of it however the process ends. Systems that
 * keep the names of open files remove it when it is closed.
 *
 * @throws UserError when the directory cannot be written to, or the disk is full later
 */
export async function openSpillFile(directory: string): Promise<SpillFile> {
  const name = path.join(directory, `caches-${randomBytes(6).toString('hex')}`);
  const handle = await mkdir(directory, { recursive: true })
    .then(() => open(name, 'wx+', 0o600))
    .catch((error: unknown) => {
      throw diskProblem(error, directory);
    });
  const named = await rm(name).then(
    () => false,
    () => true,
  );
  return new OpenSpillFile(handle, directory, named ? name : null);
}

class OpenSpillFile implements SpillFile {
  readonly #handle: FileHandle;
  readonly #directory: string;
  readonly #name: string | null;
  readonly #moved = { bytes: 0, milliseconds: 0 };
  #end = 0;

  constructor(handle: FileHandle, directory: string, name: string | null) {
    this.#handle = handle;
    this.#directory = directory;
    this.#name = name;
  }

  get moved(): SpillFile['moved'] {
    return this.#moved;
  }

  async append(data: SpilledArray): Promise<number> {
    const offset = this.#end;
    const bytes = bytesOf(data);
    await this.#timed(bytes.length, async () => {
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, offset + done);
        done += bytesWritten;
      }
    });
    this.#end += bytes.length;
    return offset;
  }

  async read(offset: number, data: SpilledArray): Promise<void> {
    const bytes = bytesOf(data);
    await this.#timed(bytes.length, async () => {
      for (let done = 0; done < bytes.length; ) {
        const { bytesRead } = await this.#handle.read(bytes, done, bytes.length - done, offset + done);
        invariant(bytesRead > 0, 'the temporary file of caches is shorter than what was written');
        done += bytesRead;
      }
    });
  }

  async clear(): Promise<void> {
    await this.#handle.truncate(0);
    this.#end = 0;
  }

  async close(): Promise<void> {
    await this.#handle.close();
    if (this.#name !== null) await rm(this.#name, { force: true });
  }

  async #timed(bytes: number, move: () => Promise<void>): Promise<void> {
    const begin = performance.now();
    try {
      await move();
    } catch (error) {
      throw diskProblem(error, this.#directory);
    }
    this.#moved.milliseconds += performance.now() - begin;
    this.#moved.bytes += bytes;
  }
}

const diskErrors = ['ENOSPC', 'EDQUOT', 'EACCES', 'EPERM', 'EROFS', 'EFBIG', 'ENOENT', 'EEXIST', 'ENOTDIR'];

function isDiskError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && diskErrors.includes(String(error.code));
}

/** What the user can mend becomes a problem of the user's; everything else stays what it is. */
function diskProblem(error: unknown, directory: string): unknown {
  if (!isDiskError(error)) return error;
  const what = `caches cannot be written there (${messageOf(error)})`;
  const fix = 'free space, set $LOOKM_CACHE to a directory on another disk, or run fewer cells at a time';
  return new UserError({ what, where: directory, fix }, { cause: error });
}
