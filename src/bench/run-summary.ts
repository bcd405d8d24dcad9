import type { SampleFailure } from './run-directory.js';
import type { RunTimes } from './run-manifest.js';

/** What a command did on a run directory. */
export interface RunSummary<R> {
  /** The records the plan asks for, in its order: tasks, samples, cells. */
  readonly planned: readonly R[];
  readonly failures: readonly SampleFailure[];
  /** Records written by this command, and those it found. */
  readonly written: number;
  readonly resumed: number;
  /** Prompts this command prefilled. */
  readonly prefills: number;
  readonly times: RunTimes;
  /** Stopped by the signal before the last sample. */
  readonly interrupted: boolean;
}
