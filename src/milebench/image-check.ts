import path from 'node:path';
import { UserError } from '../core/errors.js';
import type { Sample } from './annotation.js';
import { type ImageCheck, openImageFolder } from './image-folder.js';
import { combinedImagesName } from './image-paths.js';

/**
 * Says why a sample's images cannot be used, `null` when they can: each must be a file inside its folder. With
 * `combineImages` N it looks at the pictures they are combined into (`combined_N_images`), and leaves an annotation that
 * names none to prompt building.
 */
export type SampleImageCheck = (sample: Sample, combineImages: number | null) => Promise<UserError | null>;

/** The check of a dataset. Looks at nothing before it is asked; what it learns of a folder it keeps. */
export function openImageCheck({
  annotationFile,
  imageDir,
}: {
  readonly annotationFile: string;
  readonly imageDir: string;
}): SampleImageCheck {
  const folders = new Map<string, Promise<ImageCheck>>();
  const openOnce = (folder: string): Promise<ImageCheck> => {
    const opened = folders.get(folder) ?? openImageFolder(folder);
    folders.set(folder, opened);
    return opened;
  };
  return async (sample, combineImages) => {
    const combined = combineImages === null ? null : combinedImagesName(combineImages);
    const names = combineImages === null ? sample.imageNames : sample.combinedImageNames.get(combineImages);
    if (names === undefined || names.length === 0) return null;
    const folder = combined === null ? imageDir : path.join(path.dirname(imageDir), combined);
    try {
      const check = await openOnce(folder);
      for (const [index, name] of names.entries()) {
        const what = await check(name);
        if (what === null) continue;
        const field = `task_instance.${combined ?? 'images_path'}.${index}`;
        const where = `${annotationFile}, sample ${sample.sampleId}, field ${field}`;
        return new UserError({ what, where, fix: `name a file in ${folder}` });
      }
      return null;
    } catch (error) {
      if (error instanceof UserError) return error;
      throw error;
    }
  };
}
