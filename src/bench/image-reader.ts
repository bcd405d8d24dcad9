import { Worker } from 'node:worker_threads';
import type { ImageSettings } from '../backbone/preprocess-image.js';
import { BugError, messageOf, UserError } from '../core/errors.js';
import type { ImageInput, ImageReply, ImageRequest } from './image-worker.js';
import type { ImageCounts } from './sample-job.js';

interface Waiting {
  resolve(image: ImageInput): void;
  reject(error: Error): void;
}

/**
 * Reads image files on another thread: all of a sample at once, and those of the next sample ahead of time, while
 * the main thread is inside ONNX Runtime. Each content is decoded once while `ImageStore` keeps it.
 */
export class ImageReader {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  /** Images of the next sample by file, already under way. */
  #ahead = new Map<string, Promise<ImageInput>>();
  #requests = 0;
  readonly #counters = { decoded: 0, reused: 0 };
  /** Why the thread is gone, once it is. */
  #lost: Error | null = null;

  /** @param workerFile compiled `image-worker.js` */
  constructor({ settings, workerFile }: { readonly settings: ImageSettings; readonly workerFile: string }) {
    this.#worker = new Worker(workerFile, { workerData: settings });
    this.#worker.on('message', (reply: ImageReply) => this.#settle(reply));
    this.#worker.on('error', (error: unknown) => {
      this.#lost = new BugError({ what: `the image thread has ended: ${messageOf(error)}` });
      for (const { reject } of this.#waiting.values()) reject(this.#lost);
      this.#waiting.clear();
    });
    // An idle reader must not keep the process alive.
    this.#worker.unref();
  }

  /**
   * The images of every file, in order.
   *
   * @throws UserError naming the first file that cannot be read
   */
  read(files: readonly string[]): Promise<ImageInput[]> {
    return Promise.all(files.map((file) => this.#ahead.get(file) ?? this.#request(file)));
  }

  /** Starts reading the images of the sample that comes next. */
  readAhead(files: readonly string[]): void {
    this.#ahead = new Map([...new Set(files)].map((file) => [file, this.#request(file)]));
  }

  get counters(): ImageCounts {
    return { ...this.#counters };
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #request(file: string): Promise<ImageInput> {
    const id = this.#requests++;
    const image = new Promise<ImageInput>((resolve, reject) => {
      if (this.#lost !== null) return reject(this.#lost);
      this.#waiting.set(id, { resolve, reject });
      this.#worker.ref();
      this.#worker.postMessage({ id, file } satisfies ImageRequest);
    });
    // Of an image read ahead the failure is reported when its sample's turn comes.
    image.catch(() => {});
    return image;
  }

  #settle(reply: ImageReply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (this.#waiting.size === 0) this.#worker.unref();
    switch (reply.kind) {
      case 'image':
        this.#counters[reply.reused ? 'reused' : 'decoded']++;
        waiting?.resolve(reply.image);
        return;
      case 'unusable':
        waiting?.reject(new UserError(reply.problem));
        return;
      case 'bug':
        waiting?.reject(new BugError({ what: reply.message }));
    }
  }
}
