import path from 'node:path';
import { z } from 'zod';
import { UserError } from '../../core/errors.js';
import { idSchema, type Sample } from '../annotation.js';
import { requireAnnotation } from '../annotation-source.js';
import { loadTask, type TaskInfo } from '../dataset.js';
import type { Candidate } from './choose-subset.js';

/** A sample that can be chosen, and where it stands. */
export interface SubsetCandidate extends Candidate {
  /** Position in `data`. */
  readonly position: number;
  readonly sample: Sample;
}

/** A dataset that a subset is taken from. */
export interface SubsetSource {
  readonly info: TaskInfo;
  /** Of the annotation as it lay on disk. */
  readonly sha256: string;
  readonly candidates: readonly SubsetCandidate[];
  /** Samples that cannot be run, for instance because an image is missing. */
  readonly unusable: number;
}

const idsSchema = z.object({ data: z.array(z.unknown()) });
const namedSchema = z.object({ sample_id: idSchema });

/** Reads a dataset and looks for the images of every sample. Throws a `UserError` as `loadTask` does. */
export async function openSubsetSource(info: TaskInfo): Promise<SubsetSource> {
  const { json, sha256 } = await requireAnnotation(info.annotationFile);
  const { samples, failures, checkImages } = await loadTask(info);
  const positions = firstPositions(idsSchema.parse(json).data);
  const candidates: SubsetCandidate[] = [];
  let unusable = failures.length;
  for (const sample of samples) {
    const { sampleId, quantityLevel } = sample;
    const position = positions.get(sampleId);
    if (position === undefined) {
      const what = 'the annotation changed while it was read';
      throw new UserError({ what, where: info.annotationFile, fix: 'try again' });
    }
    if ((await checkImages(sample, null)) !== null) unusable++;
    else
      candidates.push({
        ...{ dataset: info.name, column: info.column, sampleId, quantityLevel, position, sample },
      });
  }
  return { info, sha256, candidates, unusable };
}

/** Where each id stands first; later entries of the same id are failures of the loader. */
function firstPositions(data: readonly unknown[]): Map<string, number> {
  const positions = new Map<string, number>();
  for (const [position, raw] of data.entries()) {
    const named = namedSchema.safeParse(raw);
    const sampleId = named.success ? String(named.data.sample_id) : null;
    if (sampleId !== null && !positions.has(sampleId)) positions.set(sampleId, position);
  }
  return positions;
}

/** The dataset's folder. */
export function datasetFolder({ annotationFile }: TaskInfo): string {
  return path.dirname(annotationFile);
}
