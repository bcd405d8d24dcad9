import { peakBytes } from '../bench/machine.js';
import type { BenchPlan } from '../bench/plan.js';
import type { RunDirectory, SampleFailure } from '../bench/run-directory.js';
import type { RunTimes } from '../bench/run-manifest.js';
import { UserError } from '../core/errors.js';
import { latencyKeys } from './latency-key.js';
import type { LatencyRecord } from './latency-record.js';
import type { LatencySettings, LatencySetup } from './latency-setup.js';
import { type LatencyJob, type LatencyStage, type LatencyTimes, measureSample } from './measure-sample.js';

/** What happened, for whoever shows it. `done` samples of `samples` are through. */
export type LatencyProgress = { readonly done: number; readonly samples: number } & (
  | { readonly kind: 'opening' }
  | { readonly kind: 'stage'; readonly task: string; readonly stage: LatencyStage }
  | { readonly kind: 'sample'; readonly task: string }
  | ({ readonly kind: 'failure' } & SampleFailure)
);

export interface LatencySummary {
  /** The records the plan asks for, in its order. */
  readonly planned: readonly LatencyRecord[];
  readonly failures: readonly SampleFailure[];
  /** Records written by this command, and those it found. */
  readonly written: number;
  readonly resumed: number;
  readonly prefills: number;
  readonly times: RunTimes;
  /** Stopped by the signal before the last sample. */
  readonly interrupted: boolean;
}

/**
 * Measures the samples of a plan that the directory has no record of, one after the other, with nothing else at work
 * meanwhile. A sample that fails with a `UserError` is written to the failures and the run goes on; the signal stops it
 * after the current sample. The manifest is up to date afterwards, whatever happens.
 */
export async function runLatency({
  plan,
  directory,
  bundleSha256,
  threads,
  settings,
  openSetup,
  onProgress = () => {},
  signal,
}: {
  readonly plan: BenchPlan;
  readonly directory: RunDirectory<LatencyRecord>;
  readonly bundleSha256: string;
  readonly threads: number;
  readonly settings: LatencySettings;
  readonly openSetup: () => Promise<LatencySetup>;
  readonly onProgress?: (progress: LatencyProgress) => void;
  readonly signal?: AbortSignal;
}): Promise<LatencySummary> {
  const begun = performance.now();
  const keyOf = latencyKeys({ bundleSha256, threads, settings });
  const samples = plan.tasks.reduce((sum, task) => sum + task.samples.length, 0);
  const planned: LatencyRecord[] = [];
  const failures: SampleFailure[] = [];
  const spent = { input: 0, prefill: 0, compress: 0, runtimeInCompression: 0, decode: 0 };
  let [done, written, resumed] = [0, 0, 0];
  let interrupted = false;
  const open: { setup: LatencySetup | null } = { setup: null };
  const fail = async (task: string, sampleId: string, error: unknown): Promise<void> => {
    if (!(error instanceof UserError)) throw error;
    const failure = { task, sampleId, message: error.message };
    failures.push(failure);
    await directory.fail(failure);
    onProgress({ kind: 'failure', done, samples, ...failure });
  };
  const measure = async (job: LatencyJob): Promise<LatencyRecord> => {
    if (open.setup === null) onProgress({ kind: 'opening', done, samples });
    open.setup ??= await openSetup();
    const task = job.task.info.name;
    const { record, times } = await measureSample(open.setup, settings, job, (stage) =>
      onProgress({ kind: 'stage', done, samples, task, stage }),
    );
    for (const [stage, time] of Object.entries(times)) spent[stage as keyof LatencyTimes] += time;
    await directory.append([record]);
    return record;
  };
  const runSample = async (job: Omit<LatencyJob, 'key'>): Promise<void> => {
    const unusable = await job.task.checkImages(job.sample, settings.generation.combineImages);
    if (unusable !== null) throw unusable;
    const key = keyOf(job.task, job.sample);
    const found = directory.records.get(key);
    planned.push(found ?? (await measure({ ...job, key })));
    if (found === undefined) written++;
    else resumed++;
  };
  const timesNow = (): RunTimes => {
    const { runtimeInCompression, ...stages } = spent;
    const inRuntime = open.setup?.backbone.runtime.milliseconds ?? 0;
    const compute = inRuntime + stages.compress - runtimeInCompression;
    return { ...stages, compute, wall: performance.now() - begun };
  };
  try {
    for (const { task, samples: own } of plan.tasks) {
      for (const failure of task.failures) await fail(task.info.name, failure.sampleId, failure.error);
      for (const sample of own) {
        interrupted ||= signal?.aborted ?? false;
        if (interrupted) break;
        await runSample({ task, sample }).catch((error: unknown) =>
          fail(task.info.name, sample.sampleId, error),
        );
        done++;
        onProgress({ kind: 'sample', done, samples, task: task.info.name });
      }
    }
  } finally {
    const counters = { ...counted(open.setup), records: written, resumed, failures: failures.length };
    const outcome = { ...counters, times: timesNow(), interrupted: interrupted || done < samples };
    await open.setup?.close();
    await directory.finish({ ...outcome, peakBytes: peakBytes() }, new Date());
  }
  const { prefills } = counted(open.setup);
  return { planned, failures, written, resumed, prefills, times: timesNow(), interrupted };
}

/** What the manifest counts of a run. */
function counted(setup: LatencySetup | null) {
  const prefills = setup?.backbone.model.counters.prefills ?? 0;
  return {
    prefills,
    images: setup?.images.counters ?? { decoded: 0, reused: 0 },
    features: setup?.features.counts ?? { encoded: 0, fromMemory: 0, fromDisk: 0, unwritten: 0 },
    // Caches of a latency run wait in the temporary file.
    caches: { memory: 0, spill: prefills, groups: 0, movedBytes: 0 },
  };
}
