import { hashSample } from '../bench/content-hashes.js';
import type { MethodSet } from '../compression/method-set.js';
import { hashJson, sha256 } from '../core/content-hash.js';
import type { Sample } from '../milebench/annotation.js';
import type { Task } from '../milebench/dataset.js';
import { latencyRecordVersion } from './latency-record.js';
import type { LatencySettings } from './latency-setup.js';

/**
 * Names of a run's records: whatever was measured, on what and how. Cells are measured against each other, so another set
 * of cells is another record.
 *
 * @returns the key for a sample
 */
export function latencyKeys({
  bundleSha256,
  threads,
  settings: { cells, methods, generation, protocol, seed },
}: {
  readonly bundleSha256: string;
  readonly threads: number;
  readonly settings: Omit<LatencySettings, 'cacheBytes' | 'spillDirectory'>;
}): (task: Task, sample: Sample) => string {
  const named = cells.map((cell) => ({ cell, policy: policyId(methods, cell) }));
  const common = hashJson({
    bundleSha256,
    threads,
    cells: named,
    generation,
    protocol,
    seed,
    latencyRecordVersion,
  });
  return (task, sample) =>
    sha256(`${common} ${hashSample(task, sample, generation.combineImages)} ${task.info.name}`);
}

function policyId(methods: MethodSet, { method, semantics }: LatencySettings['cells'][number]): string {
  return methods.policy(method, semantics).id;
}
