import { parentPort, workerData } from 'node:worker_threads';
import { z } from 'zod';

const bytes = z.object({ bytes: z.int().positive() }).parse(workerData).bytes;
const half = Math.floor(bytes / 2);
/** Written, so that every page is in memory; equal, so that a comparison reads both to their ends. */
const left = Buffer.alloc(half, 1);
const right = Buffer.alloc(half, 1);

/** Each message asks for a number of bytes to be read; the answer is how many were. */
parentPort!.on('message', (wanted: number) => {
  let done = 0;
  while (done < wanted) {
    const part = Math.min(half, Math.ceil((wanted - done) / 2));
    if (left.compare(right, 0, part, 0, part) !== 0) throw new Error('equal buffers differ');
    done += 2 * part;
  }
  parentPort!.postMessage(done);
});
