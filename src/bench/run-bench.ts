import type { MethodSet } from '../compression/method-set.js';
import { drawsAtRandom } from '../compression/policy.js';
import { invariant, UserError } from '../core/errors.js';
import type { Sample } from '../milebench/annotation.js';
import type { Task } from '../milebench/dataset.js';
import type { CacheCounts } from './cache-planner.js';
import { hashSample } from './content-hashes.js';
import { peakBytes } from './machine.js';
import type { BenchPlan } from './plan.js';
import type { Cell, SampleRecord } from './record.js';
import { type GenerationSettings, recordKeys } from './record-key.js';
import type { RunDirectory, SampleFailure } from './run-directory.js';
import type { RunTimes } from './run-manifest.js';
import type { RunSummary } from './run-summary.js';
import type { FeatureCounts, RunSample, SampleJob, SampleRunner } from './sample-job.js';

/** What happened, for whoever shows it. */
export type BenchProgress =
  /** Before the first sample that has to be run; `done` samples before it were found. */
  | { readonly kind: 'opening'; readonly done: number; readonly samples: number }
  /** A sample is through; its records are on the disk. */
  | { readonly kind: 'sample'; readonly done: number; readonly samples: number; readonly task: string }
  | ({ readonly kind: 'failure'; readonly done: number; readonly samples: number } & SampleFailure)
  | { readonly kind: 'notice'; readonly message: string };

export type BenchSummary = RunSummary<SampleRecord>;

interface Run {
  readonly plan: BenchPlan;
  readonly directory: RunDirectory<SampleRecord>;
  /** Part of every record's key. */
  readonly bundleSha256: string;
  readonly generation: GenerationSettings;
  readonly methods: MethodSet;
  /** What random methods draw from. */
  readonly seed: number;
}

/** A sample whose turn has come: its keys, and whether records are missing. */
type PreparedSample =
  | { readonly kind: 'job'; readonly keys: readonly string[]; readonly job: SampleJob }
  | { readonly kind: 'found'; readonly keys: readonly string[] }
  | { readonly kind: 'failure'; readonly failure: SampleFailure };

/** How the records of a cell are called. */
interface NamedCell {
  readonly cell: Cell;
  readonly keyOf: ReturnType<typeof recordKeys>;
}

function nameCells({ plan, bundleSha256, generation, methods, seed }: Run): NamedCell[] {
  return plan.cells.map((cell) => {
    const policy = methods.policy(cell.method, cell.semantics);
    const drawn = drawsAtRandom(policy) ? seed : null;
    return { cell, keyOf: recordKeys({ bundleSha256, cell, policy: policy.id, seed: drawn, generation }) };
  });
}

/** Keys and missing cells of one sample. Reads its images. */
function prepareSample(
  { directory, generation }: Run,
  named: readonly NamedCell[],
  task: Task,
  sample: Sample,
): PreparedSample {
  const sampleSha256 = hashSample(task, sample, generation.combineImages);
  const cells = named.map(({ cell, keyOf }) => ({ cell, key: keyOf(task.info.name, sampleSha256) }));
  const keys = cells.map(({ key }) => key);
  const missing = cells.filter(({ key }) => !directory.records.has(key));
  if (missing.length === 0) return { kind: 'found', keys };
  return { kind: 'job', keys, job: { task, sample, cells: missing } };
}

/** The samples of the plan in its order, each looked at when it is asked for. */
async function* prepareSamples(run: Run): AsyncGenerator<PreparedSample> {
  const named = nameCells(run);
  for (const { task, samples } of run.plan.tasks) {
    const name = task.info.name;
    for (const { sampleId, error } of task.failures) {
      yield { kind: 'failure', failure: { task: name, sampleId, message: error.message } };
    }
    for (const sample of samples) {
      try {
        const unusable = await task.checkImages(sample, run.generation.combineImages);
        if (unusable !== null) throw unusable;
        yield prepareSample(run, named, task, sample);
      } catch (error) {
        yield { kind: 'failure', failure: failureOf(name, sample.sampleId, error) };
      }
    }
  }
}

/** What the user can mend is a failure of the sample; anything else ends the run. */
function failureOf(task: string, sampleId: string, error: unknown): SampleFailure {
  if (error instanceof UserError) return { task, sampleId, message: error.message };
  throw error;
}

/**
 * Runs what the plan asks for and the directory lacks: sample by sample, each prefilled once
 * unless memory is short. A sample's images are
 * read when its turn comes, one sample ahead; its records are stored while the next one computes. A sample that fails
 * with a `UserError` is written to the failures and the run goes on. The signal stops the run after the current sample.
 * The manifest is up to date afterwards, whatever happens.
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
    onProgress({ kind: 'notice', message: tornNotice(directory.tornBytes) });
  }
  const begun = performance.now();
  const keys: string[] = [];
  const failures: SampleFailure[] = [];
  const samples = run.plan.tasks.reduce((sum, task) => sum + task.samples.length, 0);
  let resumed = 0;
  let written = 0;
  let done = 0;
  let exhausted = false;
  let runner: SampleRunner | null = null;
  /** Records of the last sample on their way to the disk, while the next one computes. */
  let stored = Promise.resolve();
  const fail = async (failure: SampleFailure, nth = done): Promise<void> => {
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
  const prepared = prepareSamples(run);
  /** The next sample with missing records; those before it are found or have failed. */
  const nextJob = async (): Promise<SampleJob | undefined> => {
    while (!signal?.aborted) {
      const { value, done: last } = await prepared.next();
      exhausted = last === true;
      if (last) return undefined;
      if (value.kind === 'failure') {
        await fail(value.failure);
        continue;
      }
      keys.push(...value.keys);
      if (value.kind === 'job') {
        resumed += value.keys.length - value.job.cells.length;
        return value.job;
      }
      resumed += value.keys.length;
      done++;
    }
    return undefined;
  };
  const prefills = (): number => runner?.prefills() ?? 0;
  let times = noTimes;
  let interrupted = true;
  try {
    let job = await nextJob();
    while (job !== undefined && !signal?.aborted) {
      if (runner === null) onProgress({ kind: 'opening', done, samples });
      runner ??= await openRunner();
      const opened = runner;
      const next = await nextJob();
      const current = job;
      const outcome = await attempt(() => opened.runSample(current, next), current);
      done++;
      await stored;
      stored = store(current, outcome, done);
      stored.catch(() => {});
      job = next;
    }
    await stored;
    interrupted = job !== undefined || !exhausted;
  } finally {
    await stored.catch(() => {});
    times = { ...noTimes, ...runner?.times(), wall: performance.now() - begun };
    try {
      // What is still on its way into the vision cache counts.
      await runner?.close();
    } finally {
      const images = runner?.images() ?? { decoded: 0, reused: 0 };
      const features = runner?.features() ?? noFeatures;
      const caches = runner?.caches() ?? noCaches;
      const counters = { images, features, caches, records: written, resumed, failures: failures.length };
      const resources = { times, peakBytes: peakBytes() };
      await directory.finish({ prefills: prefills(), ...counters, ...resources, interrupted }, now());
      if (features.unwritten > 0) onProgress({ kind: 'notice', message: unwrittenNotice(features) });
    }
  }
  const planned = keys.flatMap((key) => directory.records.get(key) ?? []);
  return { planned, failures, written, resumed, prefills: prefills(), times, interrupted };
}

/** Says that the log of a run directory ended within a record. */
export function tornNotice(bytes: number): string {
  return `cut off ${bytes} bytes of a record that a crash had left unfinished`;
}

const noCaches: CacheCounts = { memory: 0, spill: 0, groups: 0, movedBytes: 0 };
const noFeatures: FeatureCounts = { encoded: 0, fromMemory: 0, fromDisk: 0, unwritten: 0 };

function unwrittenNotice({ unwritten }: FeatureCounts): string {
  return `the vision cache or its disk is full: the features of ${unwritten} images were not kept; delete what is no longer needed`;
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
