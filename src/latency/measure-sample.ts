import { samplePrompt } from '../bench/sample-prompt.js';
import { roundedToMicroseconds } from '../core/milliseconds.js';
import type { Sample } from '../milebench/annotation.js';
import type { Task } from '../milebench/dataset.js';
import { type LatencyRecord, latencyRecordVersion } from './latency-record.js';
import type { LatencySettings, LatencySetup } from './latency-setup.js';
import type { LatencyStage, LatencyTimes } from './latency-stage.js';
import { measureCells } from './measure-cells.js';
import { weightBytes } from './weight-bytes.js';

/** A sample and the key of its record. */
export interface LatencyJob {
  readonly task: Task;
  readonly sample: Sample;
  readonly key: string;
}

/** What a sample came to, and what it cost. */
export interface MeasuredSample {
  readonly record: LatencyRecord;
  readonly times: LatencyTimes;
  /** Bytes of caches that went through the temporary file, in and out. */
  readonly movedBytes: number;
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
): Promise<MeasuredSample> {
  const { generation, protocol } = settings;
  const { bundle, runtime } = setup.backbone;
  const begin = performance.now();
  onStage('question and images');
  const { prompt, about } = await samplePrompt({ task, sample }, null, { ...setup, generation });
  const input = performance.now() - begin;
  const { times, movedBytes, ...measured } = await measureCells(setup, settings, { prompt, about }, onStage);
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
  return { record, times: { ...times, input }, movedBytes };
}
