import { type CacheBuffers, type CacheType, cacheBytes } from '../core/cache-buffers.js';
import { RandomBytes } from '../core/random-bytes.js';
import { openAttention } from '../engine/attention.js';
import { cacheCapacity, LayerCache } from '../engine/layer-cache.js';
import { openMemoryRead, readRate } from '../engine/memory-read.js';
import { floats, type Runtime } from '../engine/runtime.js';
import type { Measured } from './benchmark.js';
import { cacheRows, sevenB } from './decoder-shape.js';
import { type Contender, timeInterleaved } from './interleaved.js';

/** Bytes of one reading of memory. */
const readBytes = 512 * 2 ** 20;

const { kvHeads: heads, headDim, layers } = sevenB;
const width = heads * headDim;

function randomBuffers(random: RandomBytes, type: CacheType, length: number): CacheBuffers {
  if (type === 'float32') {
    return { type, keys: random.array(length, -1, 1), values: random.array(length, -1, 1) };
  }
  const integers = (): Int8Array => Int8Array.from(random.array(length, -127, 127));
  const scales = new Float32Array(width).fill(1 / 127);
  return { type, keys: integers(), values: integers(), scales: { keys: scales, values: scales } };
}

/** Decode attention of four layers at several cache sizes and in both element types, beside the fastest read of memory. */
export async function benchmarkAttention(runtime: Runtime, rounds: number): Promise<Measured> {
  const { decode } = await openAttention(runtime, sevenB, { mostKeys: 4096 });
  const row = floats(new Float32Array(width).fill(0.1), [1, 1, width]);
  const random = new RandomBytes();
  const memory = await openMemoryRead(runtime);
  const limit = `memory read (${memory.name})`;
  const contenderOf = (rows: number, type: CacheType): Contender => {
    const capacity = cacheCapacity(rows);
    // Visited in turn, so that each run finds its rows in memory and not in the processor's cache.
    const caches = Array.from({ length: layers }, () => {
      const buffers = randomBuffers(random, type, width * capacity);
      return new LayerCache({ heads, headDim, rows: rows - 1, capacity, buffers });
    });
    return {
      name: type === 'float32' ? `${rows} rows` : `${rows} rows, ${type}`,
      run: async () => {
        for (const cache of caches) {
          cache.rewind(rows - 1);
          await decode({ query: row, key: row, value: row }, cache);
        }
      },
      ...(type === 'float32' ? {} : { beside: [`${rows} rows`] }),
      work: { unit: 'GB/s', amount: (layers * cacheBytes({ heads, headDim }, type, rows)) / 1e9 },
      limits: [limit],
      parts: { count: layers, name: 'layer' },
    };
  };
  const contenders = cacheRows.flatMap((rows) => [contenderOf(rows, 'float32'), contenderOf(rows, 'int8')]);
  const run = async () => readBytes / readRate(await memory.read(readBytes)) / 1e6;
  const work = { unit: 'GB/s', amount: readBytes / 1e9 } as const;
  contenders.push({ name: limit, run, timesItself: true, work });
  const timings = await timeInterleaved(contenders, rounds);
  await memory.close();
  return { timings };
}
