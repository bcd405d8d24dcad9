import type { Hash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { type Checksum, hashFile, startHash } from './checksum.js';
import { asDiskProblem } from './disk-space.js';

/** The beginning of a file, growing, with the hash of what it holds. */
export class PartFile {
  readonly #handle: FileHandle;
  readonly #path: string;
  readonly #startHash: () => Hash;
  #hash: Hash;
  #bytes = 0;

  private constructor(handle: FileHandle, path: string, begin: () => Hash) {
    this.#handle = handle;
    this.#path = path;
    this.#startHash = begin;
    this.#hash = begin();
  }

  /** Opens or creates a part of a file of `wholeBytes` bytes and hashes what is there. */
  static async open(
    path: string,
    { checksum, wholeBytes, signal }: { checksum: Checksum; wholeBytes: number; signal: AbortSignal },
  ): Promise<PartFile> {
    const handle = await open(path, 'a');
    try {
      const part = new PartFile(handle, path, () => startHash(checksum, wholeBytes));
      const { size } = await handle.stat();
      if (size > wholeBytes) {
        await part.restart();
      } else {
        await hashFile(part.#hash, path, { bytes: size, signal });
        part.#bytes = size;
      }
      return part;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @throws UserError when the disk is full */
  async append(chunk: Uint8Array): Promise<void> {
    try {
      await this.#handle.appendFile(chunk);
    } catch (error) {
      throw asDiskProblem(error, this.#path);
    }
    this.#hash.update(chunk);
    this.#bytes += chunk.length;
  }

  /** Forgets everything. */
  async restart(): Promise<void> {
    await this.#handle.truncate(0);
    this.#hash = this.#startHash();
    this.#bytes = 0;
  }

  /** Hash of the content, in hexadecimal. */
  digest(): string {
    return this.#hash.copy().digest('hex');
  }

  /** Makes sure that the content is on the disk. */
  async sync(): Promise<void> {
    await this.#handle.sync();
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}
