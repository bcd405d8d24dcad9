import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { z } from 'zod';
import { RandomBytes } from '../core/random-bytes.js';
import { GraphBuilder } from '../onnx/graph-builder.js';
import { floats, type Runtime } from './runtime.js';

/** One reading. */
export interface Reading {
  /** At least those asked for. */
  readonly bytes: number;
  /** From the first thread's begin to the last one's end. */
  readonly milliseconds: number;
}

/** A way to read memory that no cache of the processor holds. */
export interface MemoryRead {
  /** What the loop is made of. */
  readonly name: string;
  readonly read: (bytes: number) => Promise<Reading>;
  close(): Promise<void>;
}

/** Many times the largest cache of a processor core. */
const bufferBytes = 256 * 2 ** 20;

/** Read before a reading counts: memory that was idle for minutes may have to be brought back by the system. */
const warmUpBytes = bufferBytes;

/** Bytes in GB/s. */
export function readRate({ bytes, milliseconds }: Reading): number {
  return bytes / milliseconds / 1e6;
}

/**
 * The fastest known way to read memory from here, with as many threads as `runtime` has: comparing two buffers (the C
 * library's `memcmp`, two streams a thread) and reducing a tensor with ONNX Runtime. Which one is faster depends on the
 * state of a virtual machine, so every reading is made by both, and the faster one counts.
 */
export async function openMemoryRead(runtime: Runtime): Promise<MemoryRead> {
  const worker = fileURLToPath(new URL('./read-worker.js', import.meta.url));
  const loops = [openCompare(runtime.threads, { worker }), await openReduce(runtime)];
  return {
    name: loops.map(({ name }) => name).join(' or '),
    read: async (bytes) => {
      const readings: Reading[] = [];
      for (const { read } of loops) {
        await read(warmUpBytes);
        readings.push(await read(bytes));
      }
      return readings.reduce((best, one) => (readRate(one) > readRate(best) ? one : best));
    },
    close: async () => {
      for (const { close } of loops) await close();
    },
  };
}

const answerSchema = z.object({ bytes: z.number(), begin: z.number(), end: z.number() });

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
  const readOn = (worker: Worker, bytes: number): Promise<z.infer<typeof answerSchema>> =>
    new Promise((resolve, reject) => {
      worker.once('error', reject);
      worker.once('message', (answer: unknown) => {
        worker.off('error', reject);
        resolve(answerSchema.parse(answer));
      });
      worker.postMessage(bytes);
    });
  return {
    name: 'memcmp',
    read: async (bytes) => {
      const parts = await Promise.all(workers.map((worker) => readOn(worker, Math.ceil(bytes / threads))));
      const begin = Math.min(...parts.map((part) => part.begin));
      const end = Math.max(...parts.map((part) => part.end));
      return { bytes: parts.reduce((sum, part) => sum + part.bytes, 0), milliseconds: end - begin };
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
  const buffer = new RandomBytes().array(total / Float32Array.BYTES_PER_ELEMENT, 0, 1);
  const rowBytes = 4 * rowLength;
  return {
    name: 'ReduceMax',
    read: async (bytes) => {
      const begin = performance.now();
      let done = 0;
      while (done < bytes) {
        const rows = Math.ceil(Math.min(bytes - done, total) / rowBytes);
        await kernel.run({ x: floats(buffer.subarray(0, rows * rowLength), [rows, rowLength]) });
        done += rows * rowBytes;
      }
      return { bytes: done, milliseconds: performance.now() - begin };
    },
    close: async () => {},
  };
}
