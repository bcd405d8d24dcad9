import { randomFillSync } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { z } from 'zod';

const bytes = z.object({ bytes: z.int().positive() }).parse(workerData).bytes;
const half = Math.floor(bytes / 2);
/** Random, because equal pages may be one page in memory; equal, so that a comparison reads both to their ends. */
const left = randomFillSync(Buffer.alloc(half));
const right = Buffer.from(left);

/** One clock for all threads, in milliseconds. */
function now(): number {
  return performance.timeOrigin + performance.now();
}

/** Each message asks for a number of bytes to be read; the answer is how many were, and from when to when. */
parentPort!.on('message', (wanted: number) => {
  const begin = now();
  let done = 0;
  while (done < wanted) {
    const part = Math.min(half, Math.ceil((wanted - done) / 2));
    if (left.compare(right, 0, part, 0, part) !== 0) throw new Error('equal buffers differ');
    done += 2 * part;
  }
  parentPort!.postMessage({ bytes: done, begin, end: now() });
});
