import { readAnnotation } from './annotation.js';
import { requireAnnotation } from './annotation-source.js';
import type { TaskInfo } from './dataset.js';
import type { QuantityLevel } from './quantity-level.js';

/** Samples by how many images they have. */
export type LevelCounts = Readonly<Record<QuantityLevel, number>>;

/** What a dataset holds, by its annotation. */
export interface DatasetSummary {
  readonly name: string;
  readonly column: string;
  readonly metric: string;
  readonly questionType: string | null;
  readonly samples: number;
  /** Samples whose entry does not fit the format; they are not counted in the other numbers. */
  readonly unusable: number;
  /** Distinct images. */
  readonly images: number;
  /** How often samples name an image. */
  readonly references: number;
  readonly levels: LevelCounts;
}

/** How many of the samples have few, medium and many images. */
export function countLevels(samples: readonly { readonly quantityLevel: QuantityLevel }[]): LevelCounts {
  const counts = { Few: 0, Medium: 0, Many: 0 };
  for (const { quantityLevel } of samples) counts[quantityLevel]++;
  return counts;
}

/** Counts what an annotation holds. Images are counted by name and not looked at. Throws a `UserError` as `loadTask` does. */
export async function summariseDataset({
  name,
  column,
  metric,
  annotationFile,
}: TaskInfo): Promise<DatasetSummary> {
  const { json } = await requireAnnotation(annotationFile);
  const { questionType, samples, failures } = readAnnotation(json, annotationFile);
  const references = samples.flatMap(({ imageNames }) => imageNames);
  return {
    ...{ name, column, metric, questionType },
    samples: samples.length,
    unusable: failures.length,
    images: new Set(references).size,
    references: references.length,
    levels: countLevels(samples),
  };
}
