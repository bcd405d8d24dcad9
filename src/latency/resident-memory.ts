import { collectGarbage } from '../core/collect-garbage.js';
import type { MeasuredCell } from './latency-record.js';
import type { LoadedCache } from './loaded-cache.js';

/** Resident bytes of this process. */
function residentBytes(): number {
  return process.memoryUsage.rss();
}

/**
 * What the process holds in memory before a cache is loaded, and at most after a step of decoding on it. Nothing refers to
 * the cache afterwards, so that the next one finds the same memory.
 *
 * @param decode decodes on the cache and calls `afterStep` after every step
 */
export async function measureResident(
  load: () => Promise<LoadedCache>,
  decode: (cache: LoadedCache, afterStep: () => void) => Promise<void>,
): Promise<MeasuredCell['resident']> {
  collectGarbage();
  const before = residentBytes();
  let peak = 0;
  const cache = await load();
  await decode(cache, () => {
    peak = Math.max(peak, residentBytes());
  });
  return { before, peak };
}
