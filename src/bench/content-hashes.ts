import { readFileSync } from 'node:fs';
import type { BundleManifest } from '../backbone/bundle-manifest.js';
import { hashJson, sha256 } from '../core/content-hash.js';
import { messageOf, UserError } from '../core/errors.js';
import type { Sample } from '../milebench/annotation.js';
import type { Task, TaskInfo } from '../milebench/dataset.js';
import { sampleImageFiles } from './sample-images.js';

/** Reads at once: nothing else is to be done meanwhile, and for small files that is several times faster. */
function hashFile(file: string): string {
  try {
    return sha256(readFileSync(file));
  } catch (cause) {
    const what = `the file cannot be read (${messageOf(cause)})`;
    throw new UserError({ what, where: file, fix: 'restore it or make it readable' }, { cause });
  }
}

/** Hash of all annotations of a dataset root with their columns and metrics, whichever of them a run uses. */
export function hashDataset(tasks: readonly TaskInfo[]): string {
  const parts: unknown[] = [];
  for (const { name, column, metric, annotationFile } of tasks) {
    parts.push({ name, column, metric, annotation: hashFile(annotationFile) });
  }
  return hashJson(parts);
}

/** Hash of everything a prompt and its score are made of: question, instructions, choices, reference, image bytes. */
export function hashSample(task: Task, sample: Sample, combineImages: 1 | null): string {
  const images = sampleImageFiles(task, sample, combineImages).map(hashFile);
  const { sampleId, taskInstructionId, context, choices, response, imageNames } = sample;
  const { taskInstructions, info } = task;
  return hashJson({
    ...{ sampleId, taskInstructionId, context, choices, response, imageNames, images },
    ...{ taskInstructions, metric: info.metric },
  });
}

/** Hash of a bundle by content, its name left out: it lists the hash of every file. */
export function hashBundle({ name: _name, ...content }: BundleManifest): string {
  return hashJson(content);
}
