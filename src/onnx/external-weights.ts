import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { invariant } from '../core/errors.js';
import { bytesOf } from '../core/tensor.js';
import type { ExternalTensor } from './graph-builder.js';

/** Every tensor starts on a page of its own, so that ONNX Runtime can map it without copying. */
export const tensorAlignment = 4096;

/** A finished file, as a manifest records it. */
export interface WrittenFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** Writes one external weight file from front to back, hashing as it goes. */
export class ExternalWeightFile {
  readonly #name: string;
  readonly #handle: FileHandle;
  readonly #hash = createHash('sha256');
  #bytes = 0;

  private constructor(name: string, handle: FileHandle) {
    this.#name = name;
    this.#handle = handle;
  }

  /** Creates `name` in `dir`; it must not exist yet. */
  static async create(dir: string, name: string): Promise<ExternalWeightFile> {
    return new ExternalWeightFile(name, await open(join(dir, name), 'wx'));
  }

  /** Appends one tensor given in blocks, which are not kept, and says where it lies. */
  async add(blocks: AsyncIterable<ArrayBufferView> | Iterable<ArrayBufferView>): Promise<ExternalTensor> {
    const padding = (tensorAlignment - (this.#bytes % tensorAlignment)) % tensorAlignment;
    if (padding > 0) await this.#write(new Uint8Array(padding));
    const offset = this.#bytes;
    for await (const block of blocks) await this.#write(bytesOf(block));
    return { file: this.#name, offset, bytes: this.#bytes - offset };
  }

  /** Closes the file once its content is on the disk. */
  async finish(): Promise<WrittenFile> {
    await this.#handle.datasync();
    await this.#handle.close();
    return { path: this.#name, bytes: this.#bytes, sha256: this.#hash.digest('hex') };
  }

  /** Closes an unfinished file. */
  async abandon(): Promise<void> {
    await this.#handle.close();
  }

  async #write(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes);
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done);
      invariant(bytesWritten > 0, `nothing more could be written to ${this.#name}`);
      done += bytesWritten;
    }
    this.#bytes += bytes.length;
  }
}
