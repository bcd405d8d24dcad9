import { watchProcessors } from '../bench/processor-load.js';
import { clockStep } from '../core/clock-step.js';
import { openMemoryRead, readRate } from '../engine/memory-read.js';
import { type Pinning, pinMainThread } from '../engine/pinning.js';
import type { Runtime } from '../engine/runtime.js';
import type { LatencyRecord } from './latency-record.js';

/** What a latency run knows of the machine it runs on. */
export interface LatencyMachine {
  /** Where threads run, and what the clock can tell. */
  readonly about: { readonly pinning: Pinning; readonly clockStep: number };
  /** What reads memory as fast as is known. */
  readonly readsBy: string;
  /** Reads memory; GB/s. */
  readRate(): Promise<number>;
  /** Begins to watch who else computes; the returned function tells what they took since. */
  watchLoad(): () => LatencyRecord['load'];
  close(): Promise<void>;
}

/** Bytes of a reading: long enough that its begin and end do not matter. */
const readBytes = 2 ** 30;

/**
 * Opens what measures the machine and then pins the main thread, for threads that are started later would share its
 * processor.
 *
 * @param pinning of the runtime's other threads, which have it already
 */
export async function openLatencyMachine(runtime: Runtime, pinning: Pinning): Promise<LatencyMachine> {
  const memory = await openMemoryRead(runtime);
  const refused = pinning.kind === 'pinned' ? await pinMainThread(pinning.processors[0]!) : null;
  return {
    about: {
      pinning: refused === null ? pinning : { kind: 'free', reason: refused },
      clockStep: clockStep(),
    },
    readsBy: memory.name,
    readRate: async () => readRate(await memory.read(readBytes)),
    watchLoad: watchProcessors,
    close: () => memory.close(),
  };
}
