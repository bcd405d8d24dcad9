import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { BundleManifest } from '../backbone/bundle-manifest.js';
import { hashJson, sha256 } from '../core/content-hash.js';
import { messageOf, UserError } from '../core/errors.js';
import type { Sample } from '../milebench/annotation.js';
import type { Task, TaskInfo } from '../milebench/dataset.js';

async function hashFile(file: string): Promise<string> {
  try {
    return sha256(await readFile(file));
  } catch (cause) {
    const what = `the file cannot be read (${messageOf(cause)})`;
    throw new UserError({ what, where: file, fix: 'restore it or make it readable' }, { cause });
  }
}

/** Hash of all annotations of a dataset root with their columns and metrics, whichever of them a run uses. */
export async function hashDataset(tasks: readonly TaskInfo[]): Promise<string> {
  const parts: unknown[] = [];
  for (const { name, column, metric, annotationFile } of tasks) {
    parts.push({ name, column, metric, annotation: await hashFile(annotationFile) });
  }
  return hashJson(parts);
}

/** Hash of everything a prompt and its score are made of: question, instructions, choices, reference, image bytes. */
export async function hashSample(task: Task, sample: Sample): Promise<string> {
  const images: string[] = [];
  for (const name of sample.imageNames) images.push(await hashFile(path.join(task.info.imageDir, name)));
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
