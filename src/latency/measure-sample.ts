import { samplePrompt } from '../bench/sample-prompt.js';
import { roundedToMicroseconds } from '../core/milliseconds.js';
import type { Sample } from '../milebench/annotation.js';
import type { Task } from '../milebench/dataset.js';
import { type LatencyRecord, latencyRecordVersion } from './latency-record.js';
import type { LatencySettings, LatencySetup } from './latency-setup.js';
import { measureCells } from './measure-cells.js';
import { weightBytes } from './weight-bytes.js';

/** A sample and the key of its record. */
export interface LatencyJob {
  readonly task: Task;
  readonly sample: Sample;
  readonly key: string;
}

/** What is being done on a sample. */
export type LatencyStage = 'question and images' | 'prefill' | 'resident memory' | 'decoding in turns';

/** Milliseconds of a sample, by what they went into. */
export interface LatencyTimes {
  readonly input: number;
  readonly prefill: number;
  readonly compress: number;
  /** What of compression was inside ONNX Runtime. */
  readonly runtimeInCompression: number;
  readonly decode: number;
}

/**
 * Measures one sample under all cells: one prefill, then decoding on each cache alone for the memory it takes, then all
 * caches in turn for the time.
 *
 * @throws UserError when the sample cannot be run or the caches do not fit in memory together
 */
export async function measureSample(
  setup: LatencySetup,
  settings: LatencySettings,
  { task, sample, key }: LatencyJob,
  onStage: (stage: LatencyStage) => void,
): Promise<{ readonly record: LatencyRecord; readonly times: LatencyTimes }> {
  const { generation, protocol } = settings;
  const { bundle, runtime } = setup.backbone;
  const begin = performance.now();
  onStage('question and images');
  const { prompt, about } = await samplePrompt({ task, sample }, null, { ...setup, generation });
  const input = performance.now() - begin;
  const { times, ...measured } = await measureCells(setup, settings, { prompt, about }, onStage);
  const { source, name } = bundle.manifest;
  const record: LatencyRecord = {
    version: latencyRecordVersion,
    key,
    backbone: name,
    ...(source.kind === 'random' ? { randomWeights: true } : {}),
    task: task.info.name,
    column: task.info.column,
    sampleId: sample.sampleId,
    prompt: about,
    protocol: {
      ...protocol,
      endOfSequence: 'ignored',
      order: 'rotated, alternating',
      attention: runtime.kind,
      device: runtime.device,
      threads: runtime.threads,
      ...setup.machine.about,
    },
    time: { input: roundedToMicroseconds(input), prefill: roundedToMicroseconds(times.prefill) },
    weightBytes: weightBytes(bundle.manifest),
    ...measured,
  };
  return { record, times: { ...times, input } };
}
