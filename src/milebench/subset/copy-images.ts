import { constants } from 'node:fs';
import { copyFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Sample } from '../annotation.js';
import { eachConcurrently } from '../each-concurrently.js';
import { openImageFolder } from '../image-folder.js';
import { combinedImagesName } from '../image-paths.js';

/** Files copied at a time: enough to keep a disk busy. */
const copiesAtOnce = 8;

/** The images of a dataset as they are copied. */
export interface CopiedImages {
  readonly copied: number;
  /** Combined pictures that samples name and that are not there. */
  readonly missing: number;
}

/** Distinct names of the images of samples by folder: `images` and those of combined pictures. */
export function imagesByFolder(samples: readonly Sample[]): ReadonlyMap<string, ReadonlySet<string>> {
  const folders = new Map<string, Set<string>>();
  const add = (folder: string, names: readonly string[]): void => {
    const known = folders.get(folder) ?? new Set<string>();
    folders.set(folder, known);
    for (const name of names) known.add(name);
  };
  for (const { imageNames, combinedImageNames } of samples) {
    add('images', imageNames);
    for (const [pictures, names] of combinedImageNames) add(combinedImagesName(pictures), names);
  }
  return folders;
}

/** Copies images from one dataset's folder to another's. Links are followed, but not out of the folder of images. */
export async function copyImages(
  folders: ReadonlyMap<string, ReadonlySet<string>>,
  { from, to, onImage }: { readonly from: string; readonly to: string; readonly onImage: () => void },
): Promise<CopiedImages> {
  let copied = 0;
  let missing = 0;
  for (const [folder, names] of folders) {
    if (names.size === 0) continue;
    const source = path.join(from, folder);
    // Whether the images themselves are there was asked when the samples were chosen.
    const check = await openImageFolder(source).catch(() => null);
    const target = path.join(to, folder);
    await eachConcurrently(names, {
      limit: copiesAtOnce,
      work: async (name) => {
        if (check === null || (await check(name)) !== null) missing++;
        else {
          const copy = path.join(target, name);
          await mkdir(path.dirname(copy), { recursive: true });
          await copyFile(path.join(source, name), copy, constants.COPYFILE_FICLONE);
          copied++;
        }
        onImage();
      },
    });
  }
  return { copied, missing };
}
