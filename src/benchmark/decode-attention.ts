import { RandomBytes } from '../core/random-bytes.js';
import { openAttention } from '../engine/attention.js';
import { cacheCapacity, LayerCache } from '../engine/layer-cache.js';
import { openMemoryRead } from '../engine/memory-read.js';
import { floats, type Runtime } from '../engine/runtime.js';
import type { Measured } from './benchmark.js';
import { cacheRows, sevenB } from './decoder-shape.js';
import { type Contender, timeInterleaved } from './interleaved.js';

/** Bytes of one reading of memory. */
const readBytes = 512 * 2 ** 20;

/** Decode attention of four layers at several cache sizes, beside the fastest read of memory. */
export async function benchmarkAttention(runtime: Runtime, rounds: number): Promise<Measured> {
  const { kvHeads, headDim, layers } = sevenB;
  const width = kvHeads * headDim;
  const { decode } = await openAttention(runtime, sevenB, { mostKeys: 4096 });
  const row = floats(new Float32Array(width).fill(0.1), [1, 1, width]);
  const random = new RandomBytes();
  const memory = await openMemoryRead(runtime);
  const limit = `memory read (${memory.name})`;
  const contenders = cacheRows.map((rows): Contender => {
    const capacity = cacheCapacity(rows);
    // Visited in turn, so that each run finds its rows in memory and not in the processor's cache.
    const buffers = Array.from({ length: layers }, () => ({
      type: 'float32' as const,
      keys: random.array(width * capacity, -1, 1),
      values: random.array(width * capacity, -1, 1),
    }));
    return {
      name: `${rows} rows`,
      run: async () => {
        for (const layer of buffers) {
          const cache = new LayerCache({ heads: kvHeads, headDim, rows: rows - 1, capacity, buffers: layer });
          await decode({ query: row, key: row, value: row }, cache);
        }
      },
      work: { unit: 'GB/s', amount: (2 * 4 * width * rows * layers) / 1e9 },
      limits: [limit],
      parts: { count: layers, name: 'layer' },
    };
  });
  const read = async () => void (await memory.read(readBytes));
  contenders.push({ name: limit, run: read, work: { unit: 'GB/s', amount: readBytes / 1e9 } });
  const timings = await timeInterleaved(contenders, rounds);
  await memory.close();
  return { timings };
}
