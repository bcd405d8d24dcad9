import { availableParallelism, cpus, totalmem } from 'node:os';
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
