import { invariant, UserError } from '../core/errors.js';
import { hashSample } from './content-hashes.js';
import type { BenchPlan } from './plan.js';
import type { SampleRecord } from './record.js';
import { type GenerationSettings, recordKey } from './record-key.js';
import type { RunDirectory, SampleFailure } from './run-directory.js';
import type { RunTimes } from './run-manifest.js';
import type { KeyedCell, RunSample, SampleJob, SampleRunner } from './sample-job.js';

/** What happened, for whoever shows it. */
export type BenchProgress =
  /** Before the first sample: how much there is to do. */
  | { readonly kind: 'start'; readonly samples: number; readonly records: number; readonly resumed: number }
  /** A sample is through; its records are on the disk. */
  | { readonly kind: 'sample'; readonly done: number; readonly samples: number; readonly task: string }
  | ({ readonly kind: 'failure'; readonly done: number; readonly samples: number } & SampleFailure)
  | { readonly kind: 'notice'; readonly message: string };

export interface BenchSummary {
  /** The records the plan asks for, in its order: tasks, samples, cells. */
  readonly planned: readonly SampleRecord[];
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

interface PreparedSamples {
  /** Keys of the plan in its order. */
  readonly keys: readonly string[];
  /** Samples with missing records. */
  readonly jobs: readonly SampleJob[];
  readonly failures: readonly SampleFailure[];
}

interface Run {
  readonly plan: BenchPlan;
  readonly directory: RunDirectory;
  /** Part of every record's key. */
  readonly bundleSha256: string;
  readonly generation: GenerationSettings;
  /** `version` of every method in the plan. */
  readonly methodVersions: Readonly<Record<string, number>>;
}

function prepareSamples({ plan, directory, bundleSha256, generation, methodVersions }: Run): PreparedSamples {
  const keys: string[] = [];
  const jobs: SampleJob[] = [];
  const failures: SampleFailure[] = [];
  for (const { task, samples } of plan.tasks) {
    const name = task.info.name;
    for (const { sampleId, error } of task.failures)
      failures.push({ task: name, sampleId, message: error.message });
    for (const sample of samples) {
      let sampleSha256: string;
      try {
        sampleSha256 = hashSample(task, sample);
      } catch (error) {
        failures.push(failureOf(name, sample.sampleId, error));
        continue;
      }
      const cells = plan.cells.map((cell): KeyedCell => {
        const methodVersion = methodVersions[cell.method];
        invariant(methodVersion !== undefined, `method ${cell.method} has no version`);
        return {
          cell,
          key: recordKey({ bundleSha256, task: name, sampleSha256, cell, methodVersion, generation }),
        };
      });
      keys.push(...cells.map(({ key }) => key));
      const missing = cells.filter(({ key }) => !directory.records.has(key));
      if (missing.length > 0) jobs.push({ task, sample, cells: missing });
    }
  }
  return { keys, jobs, failures };
}

/** What the user can mend is a failure of the sample; anything else ends the run. */
function failureOf(task: string, sampleId: string, error: unknown): SampleFailure {
  if (error instanceof UserError) return { task, sampleId, message: error.message };
  throw error;
}

/**
 * Runs what the plan asks for and the directory lacks: sample by sample, each prefilled once and stored before the
 * next begins. A sample that fails with a `UserError` is written to the failures and the run goes on. The signal stops
 * the run after the current sample. The manifest is up to date afterwards, whatever happens.
 *
 * `openRunner` is called only when a record is missing. Prints nothing: `onProgress` hears what happens. The directory
 * stays open.
 */
export async function runBench({
  openRunner,
  onProgress = () => {},
  signal,
  now = () => new Date(),
  ...run
}: Run & {
  readonly openRunner: () => Promise<SampleRunner>;
  readonly onProgress?: (progress: BenchProgress) => void;
  readonly signal?: AbortSignal;
  readonly now?: () => Date;
}): Promise<BenchSummary> {
  const { directory } = run;
  if (directory.tornBytes > 0) {
    const message = `cut off ${directory.tornBytes} bytes of a record that a crash had left unfinished`;
    onProgress({ kind: 'notice', message });
  }
  const begun = performance.now();
  const { keys, jobs, failures: early } = prepareSamples(run);
  const failures: SampleFailure[] = [];
  const resumed = keys.filter((key) => directory.records.has(key)).length;
  const samples = jobs.length;
  let written = 0;
  let done = 0;
  let runner: SampleRunner | null = null;
  /** Records of the last sample on their way to the disk, while the next one computes. */
  let stored = Promise.resolve();
  const fail = async (failure: SampleFailure, nth = 0): Promise<void> => {
    failures.push(failure);
    await directory.fail(failure);
    onProgress({ kind: 'failure', done: nth, samples, ...failure });
  };
  const store = async (
    job: SampleJob,
    outcome: SampleRecord[] | SampleFailure,
    nth: number,
  ): Promise<void> => {
    if (!Array.isArray(outcome)) return fail(outcome, nth);
    await directory.append(outcome);
    written += outcome.length;
    onProgress({ kind: 'sample', done: nth, samples, task: job.task.info.name });
  };
  const prefills = (): number => runner?.prefills() ?? 0;
  let times = noTimes;
  try {
    onProgress({ kind: 'start', samples, records: keys.length - resumed, resumed });
    for (const failure of early) await fail(failure);
    for (const [index, job] of jobs.entries()) {
      if (signal?.aborted) break;
      runner ??= await openRunner();
      const opened = runner;
      const outcome = await attempt(() => opened.runSample(job, jobs[index + 1]), job);
      done++;
      await stored;
      stored = store(job, outcome, done);
      stored.catch(() => {});
    }
    await stored;
  } finally {
    await stored.catch(() => {});
    times = { ...noTimes, ...runner?.times(), wall: performance.now() - begun };
    const counters = { prefills: prefills(), records: written, resumed, failures: failures.length };
    await directory.finish({ ...counters, times, interrupted: done < samples }, now());
    await runner?.close();
  }
  const planned = keys.flatMap((key) => directory.records.get(key) ?? []);
  return { planned, failures, written, resumed, prefills: prefills(), times, interrupted: done < samples };
}

const noTimes: RunTimes = { wall: 0, input: 0, prefill: 0, compress: 0, decode: 0, compute: 0 };

async function attempt(
  runSample: () => ReturnType<RunSample>,
  job: SampleJob,
): Promise<SampleRecord[] | SampleFailure> {
  let records: SampleRecord[];
  try {
    records = await runSample();
  } catch (error) {
    return failureOf(job.task.info.name, job.sample.sampleId, error);
  }
  const matching =
    records.length === job.cells.length && job.cells.every(({ key }, i) => records[i]?.key === key);
  invariant(matching, 'the sample runner returned records of other cells');
  return records;
}
