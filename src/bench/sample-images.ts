import path from 'node:path';
import type { Sample } from '../milebench/annotation.js';
import type { Task } from '../milebench/dataset.js';
import { combinedImagesName } from '../milebench/image-paths.js';

/**
 * The image files of a sample, whether or not its prompt has room for all: the images themselves, or the picture they
 * are combined into. A combined picture the annotation does not name is left to prompt building, which says so.
 */
export function sampleImageFiles(
  { info }: Task,
  { imageNames, combinedImageNames }: Sample,
  combineImages: 1 | null,
): string[] {
  if (combineImages === null) return imageNames.map((name) => path.join(info.imageDir, name));
  const folder = path.join(path.dirname(info.imageDir), combinedImagesName(combineImages));
  return (combinedImageNames.get(combineImages) ?? []).map((name) => path.join(folder, name));
}
