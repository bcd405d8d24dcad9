import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import type { Machine } from './run-manifest.js';

/** The machine as far as it matters for timings; no host name, no path. */
export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    platform: `${process.platform}-${process.arch}`,
  };
}

/** Bytes that a process may still take: free or reclaimable, and within the limit of its container. */
export function availableBytes(): number {
  const limit = process.constrainedMemory();
  const free = freemem();
  return limit > 0 ? Math.min(free, limit - process.memoryUsage.rss()) : free;
}

/** The most memory that this process has had, mapped files included. */
export function peakBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}
