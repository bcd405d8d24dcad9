import type { Runtime } from '../engine/runtime.js';
import type { Timing } from './interleaved.js';

/** What a benchmark measured. */
export interface Measured {
  readonly timings: readonly Timing[];
  /** What follows from the timings, a sentence each. */
  readonly notes?: readonly string[];
}

export interface Benchmark {
  readonly what: string;
  /** Times its contenders in one interleaved run on the runtime given. */
  readonly run: (runtime: Runtime, rounds: number) => Promise<Measured>;
  /** Threads and rounds when not said otherwise. */
  readonly threads?: number;
  readonly rounds?: number;
}
