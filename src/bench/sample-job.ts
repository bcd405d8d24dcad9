import type { Sample } from '../milebench/annotation.js';
import type { Task } from '../milebench/dataset.js';
import type { CacheCounts } from './cache-planner.js';
import type { Cell, SampleRecord } from './record.js';

/** A cell with the key its record has to carry. */
export interface KeyedCell {
  readonly cell: Cell;
  readonly key: string;
}

/** One sample under the cells whose records are missing. */
export interface SampleJob {
  readonly task: Task;
  readonly sample: Sample;
  readonly cells: readonly KeyedCell[];
}

/**
 * Prefills a sample, once if memory allows, and returns one record a cell, in the order of `cells`.
 * `next` is the job that will follow, so that its images can be read while this one computes.
 * A `UserError` marks the sample as failed and leaves the run alive; any other error ends the run.
 */
export type RunSample = (job: SampleJob, next?: SampleJob) => Promise<SampleRecord[]>;

/** Where the time of a run went, in milliseconds. */
export interface StageTimes {
  /** Questions, token ids, image files and vision tower. */
  readonly input: number;
  readonly prefill: number;
  readonly compress: number;
  readonly decode: number;
  /** Inside ONNX Runtime or compression, whichever of the above it belongs to; the rest is overhead. */
  readonly compute: number;
}

/** How often an image was decoded so far, and how often a decoded one of the same content served again. */
export interface ImageCounts {
  readonly decoded: number;
  readonly reused: number;
}

/** Where the features of images came from so far. */
export interface FeatureCounts {
  /** Images that went through the vision tower. */
  readonly encoded: number;
  readonly fromMemory: number;
  /** From files of the vision cache. */
  readonly fromDisk: number;
  /** Encoded, and the vision cache could not take them. */
  readonly unwritten: number;
}

/** Whatever runs samples, opened when there is something to run and closed after the last sample. */
export interface SampleRunner {
  readonly runSample: RunSample;
  /** Prompts that went through the decoder so far. */
  prefills(): number;
  images(): ImageCounts;
  features(): FeatureCounts;
  caches(): CacheCounts;
  times(): StageTimes;
  close(): Promise<void>;
}
