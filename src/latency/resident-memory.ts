import { setTimeout } from 'node:timers/promises';
import { collectGarbage } from '../core/collect-garbage.js';
import type { FloatPool } from '../core/float-pool.js';
import { loadLibc } from '../engine/libc.js';
import type { MeasuredCell } from './latency-record.js';
import type { LoadedCache } from './loaded-cache.js';

/** Resident bytes of this process. */
function residentBytes(): number {
  return process.memoryUsage.rss();
}

/** Milliseconds after which other threads have freed what a collection found. */
const sweepTime = 50;

/** Gives everything that is not in use back to the system, arrays kept for reuse too, as far as it takes it. */
async function returnFreeMemory(pool: FloatPool): Promise<void> {
  pool.clear();
  collectGarbage();
  await setTimeout(sweepTime);
  const loaded = await loadLibc();
  if ('libc' in loaded) loaded.libc.trim?.(0);
}

/**
 * What the process holds in memory before a cache is loaded, and at most after a step of decoding on it. Nothing refers to
 * the cache afterwards, so that the next one finds the same memory.
 *
 * @param pool where caches take their arrays from
 * @param decode decodes on the cache and calls `afterStep` after every step
 */
export async function measureResident(
  load: () => Promise<LoadedCache>,
  decode: (cache: LoadedCache, afterStep: () => void) => Promise<void>,
  pool: FloatPool,
): Promise<MeasuredCell['resident']> {
  await returnFreeMemory(pool);
  const before = residentBytes();
  let peak = 0;
  const cache = await load();
  await decode(cache, () => {
    peak = Math.max(peak, residentBytes());
  });
  return { before, peak };
}
