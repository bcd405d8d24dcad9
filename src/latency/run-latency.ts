import { peakBytes } from '../bench/machine.js';
import type { BenchPlan } from '../bench/plan.js';
import { tornNotice } from '../bench/run-bench.js';
import type { RunDirectory, SampleFailure } from '../bench/run-directory.js';
import type { RunSummary } from '../bench/run-summary.js';
import { UserError } from '../core/errors.js';
import type { Sample } from '../milebench/annotation.js';
import type { Task } from '../milebench/dataset.js';
import { latencyKeys } from './latency-key.js';
import type { LatencyRecord } from './latency-record.js';
import type { LatencySettings, LatencySetup } from './latency-setup.js';
import type { LatencyStage, LatencyTimes } from './latency-stage.js';
import { type LatencyJob, measureSample } from './measure-sample.js';

/** What happened to the samples. */
type LatencyEvent =
  | { readonly kind: 'opening' }
  | { readonly kind: 'stage'; readonly task: string; readonly stage: LatencyStage }
  | { readonly kind: 'sample'; readonly task: string }
  | ({ readonly kind: 'failure' } & SampleFailure);

/** What happened, for whoever shows it; `done` samples of `samples` are through. */
export type LatencyProgress =
  | { readonly kind: 'notice'; readonly message: string }
  | (LatencyEvent & { readonly done: number; readonly samples: number });

export type LatencySummary = RunSummary<LatencyRecord>;

/** What a run measures, with what, and who hears of it. */
interface LatencyRequest {
  readonly plan: BenchPlan;
  readonly directory: RunDirectory<LatencyRecord>;
  readonly bundleSha256: string;
  readonly threads: number;
  readonly settings: LatencySettings;
  /** Called when the first sample has to be measured. */
  readonly openSetup: () => Promise<LatencySetup>;
  readonly onProgress?: (progress: LatencyProgress) => void;
  readonly signal?: AbortSignal;
}

/**
 * Measures the samples of a plan that the directory has no record of, one after the other, with nothing else at work
 * meanwhile. A sample that fails with a `UserError` is written to the failures and the run goes on; what cannot be opened
 * ends it, and the signal stops it after the current sample. The manifest is up to date afterwards, whatever happens.
 */
export function runLatency(request: LatencyRequest): Promise<LatencySummary> {
  return new LatencyRun(request).run();
}

class LatencyRun {
  readonly #request: LatencyRequest;
  readonly #begun = performance.now();
  readonly #keyOf: ReturnType<typeof latencyKeys>;
  readonly #samples: number;
  readonly #planned: LatencyRecord[] = [];
  readonly #failures: SampleFailure[] = [];
  readonly #spent = { input: 0, prefill: 0, compress: 0, runtimeInCompression: 0, decode: 0 };
  #setup: LatencySetup | null = null;
  #done = 0;
  #written = 0;
  #resumed = 0;
  #movedBytes = 0;

  constructor(request: LatencyRequest) {
    this.#request = request;
    this.#keyOf = latencyKeys(request);
    this.#samples = request.plan.tasks.reduce((sum, task) => sum + task.samples.length, 0);
  }

  async run(): Promise<LatencySummary> {
    const { directory, onProgress } = this.#request;
    if (directory.tornBytes > 0) onProgress?.({ kind: 'notice', message: tornNotice(directory.tornBytes) });
    try {
      await this.#runTasks();
    } finally {
      const { written: records, resumed, prefills, times, interrupted, failures } = this.#summary();
      const setup = this.#setup;
      const counters = {
        ...{ prefills, records, resumed, failures: failures.length },
        images: setup?.images.counters ?? { decoded: 0, reused: 0 },
        features: setup?.features.counts ?? { encoded: 0, fromMemory: 0, fromDisk: 0, unwritten: 0 },
        caches: { memory: 0, spill: records, groups: 0, movedBytes: this.#movedBytes },
      };
      await setup?.close();
      await directory.finish({ ...counters, times, interrupted, peakBytes: peakBytes() }, new Date());
    }
    return this.#summary();
  }

  async #runTasks(): Promise<void> {
    const { plan, signal } = this.#request;
    for (const { task, samples } of plan.tasks) {
      for (const { sampleId, error } of task.failures) await this.#fail(task, sampleId, error);
      for (const sample of samples) {
        if (signal?.aborted) return;
        await this.#runSample(task, sample);
        this.#done++;
        this.#tell({ kind: 'sample', task: task.info.name });
      }
    }
  }

  async #runSample(task: Task, sample: Sample): Promise<void> {
    const key = await this.#attempt(task, sample, () => this.#checkedKey(task, sample));
    if (key === null) return;
    const found = this.#request.directory.records.get(key);
    if (found !== undefined) {
      this.#planned.push(found);
      this.#resumed++;
      return;
    }
    if (this.#setup === null) this.#tell({ kind: 'opening' });
    this.#setup ??= await this.#request.openSetup();
    const setup = this.#setup;
    await this.#attempt(task, sample, () => this.#measure(setup, { task, sample, key }));
  }

  async #checkedKey(task: Task, sample: Sample): Promise<string> {
    const unusable = await task.checkImages(sample, this.#request.settings.generation.combineImages);
    if (unusable !== null) throw unusable;
    return this.#keyOf(task, sample);
  }

  async #measure(setup: LatencySetup, job: LatencyJob): Promise<void> {
    const { settings, directory } = this.#request;
    const task = job.task.info.name;
    const onStage = (stage: LatencyStage): void => this.#tell({ kind: 'stage', task, stage });
    const { record, times, movedBytes } = await measureSample(setup, settings, job, onStage);
    for (const [stage, time] of Object.entries(times)) this.#spent[stage as keyof LatencyTimes] += time;
    this.#movedBytes += movedBytes;
    await directory.append([record]);
    this.#planned.push(record);
    this.#written++;
  }

  /** What the user can mend is a failure of the sample, and the result null; anything else ends the run. */
  async #attempt<T>(task: Task, { sampleId }: Sample, work: () => Promise<T>): Promise<T | null> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      await this.#fail(task, sampleId, error);
      return null;
    }
  }

  async #fail(task: Task, sampleId: string, { message }: Error): Promise<void> {
    const failure = { task: task.info.name, sampleId, message };
    this.#failures.push(failure);
    await this.#request.directory.fail(failure);
    this.#tell({ kind: 'failure', ...failure });
  }

  #tell(event: LatencyEvent): void {
    this.#request.onProgress?.({ ...event, done: this.#done, samples: this.#samples });
  }

  #summary(): LatencySummary {
    const { runtimeInCompression, ...stages } = this.#spent;
    const inRuntime = this.#setup?.backbone.runtime.milliseconds ?? 0;
    const compute = inRuntime + stages.compress - runtimeInCompression;
    return {
      planned: this.#planned,
      failures: this.#failures,
      written: this.#written,
      resumed: this.#resumed,
      prefills: this.#setup?.backbone.model.counters.prefills ?? 0,
      times: { ...stages, compute, wall: performance.now() - this.#begun },
      interrupted: this.#done < this.#samples,
    };
  }
}
