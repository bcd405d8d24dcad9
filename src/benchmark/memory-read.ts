import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { floats, type Runtime } from '../engine/runtime.js';
import { GraphBuilder } from '../onnx/graph-builder.js';

/** Reads so many bytes of memory that no cache holds, and returns how many it read. */
type ReadBytes = (bytes: number) => Promise<number>;

export interface MemoryRead {
  /** What the fastest loop is made of. */
  readonly name: string;
  readonly read: ReadBytes;
  close(): Promise<void>;
}

/** Many times the largest cache of a processor core. */
const bufferBytes = 256 * 2 ** 20;

/** Readings of the whole buffer that decide which loop is the limit. */
const trials = 3;

/**
 * The fastest known way to read memory from here, with as many threads as `runtime` has: comparing two buffers (the C
 * library's `memcmp`, two streams a thread) or reducing a tensor with ONNX Runtime, whichever wins.
 */
export async function openMemoryRead(runtime: Runtime): Promise<MemoryRead> {
  const worker = fileURLToPath(new URL('./read-worker.js', import.meta.url));
  const loops = [openCompare(runtime.threads, { worker }), await openReduce(runtime)];
  const times: number[] = [];
  for (const { read } of loops) {
    await read(bufferBytes);
    let fastest = Number.POSITIVE_INFINITY;
    for (let trial = 0; trial < trials; trial++) {
      const start = performance.now();
      await read(bufferBytes);
      fastest = Math.min(fastest, performance.now() - start);
    }
    times.push(fastest);
  }
  const best = times.indexOf(Math.min(...times));
  for (const [index, loop] of loops.entries()) if (index !== best) await loop.close();
  return loops[best]!;
}

/**
 * Each thread compares two equal buffers of its own.
 *
 * @param worker compiled `read-worker.js`
 * @param bytes of all buffers
 */
export function openCompare(
  threads: number,
  { worker, bytes = bufferBytes }: { readonly worker: string; readonly bytes?: number },
): MemoryRead {
  const workerData = { bytes: Math.ceil(bytes / threads) };
  const workers = Array.from({ length: threads }, () => new Worker(worker, { workerData }));
  const readOn = (worker: Worker, bytes: number): Promise<number> =>
    new Promise((resolve, reject) => {
      worker.once('error', reject);
      worker.once('message', (done: number) => {
        worker.off('error', reject);
        resolve(done);
      });
      worker.postMessage(bytes);
    });
  return {
    name: 'memcmp',
    read: async (bytes) => {
      const done = await Promise.all(workers.map((worker) => readOn(worker, Math.ceil(bytes / threads))));
      return done.reduce((sum, part) => sum + part, 0);
    },
    close: async () => {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

/** Length of a row that is reduced to one number. */
const rowLength = 4096;

/** One tensor, a number a row. */
export async function openReduce(runtime: Runtime, total = bufferBytes): Promise<MemoryRead> {
  const graph = new GraphBuilder();
  graph.input('x', 'f32', ['N', rowLength]);
  graph.op('ReduceMax', ['x', graph.ints([1])], { keepdims: 0 }, 'y');
  graph.output('y', 'f32', ['N']);
  const kernel = await runtime.open(graph.bytes());
  const buffer = new Float32Array(total / 4).fill(1);
  const rowBytes = 4 * rowLength;
  return {
    name: 'ReduceMax',
    read: async (bytes) => {
      let done = 0;
      while (done < bytes) {
        const rows = Math.ceil(Math.min(bytes - done, total) / rowBytes);
        await kernel.run({ x: floats(buffer.subarray(0, rows * rowLength), [rows, rowLength]) });
        done += rows * rowBytes;
      }
      return done;
    },
    close: async () => {},
  };
}
