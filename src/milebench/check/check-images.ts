import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { messageOf, UserError } from '../../core/errors.js';
import { groupBy } from '../../core/group-by.js';
import { eachConcurrently } from '../each-concurrently.js';
import { type ImageCheck, openImageFolder } from '../image-folder.js';
import type { ImageReference } from './check-sample.js';
import type { ProblemList } from './problem-list.js';

/** Decodes an image file. Rejects with a `UserError` when a run could not use it. */
export type ReadImage = (file: string) => Promise<unknown>;

/** How images are looked at. */
export interface ImageChecking {
  /** `null` looks for the files only. */
  readonly readImage: ReadImage | null;
  /** Images in memory at a time; the largest that is read takes half a gigabyte. */
  readonly concurrency: number;
  /** Called for every distinct file. */
  readonly onImage: () => void;
}

export interface ImageCounts {
  /** Distinct names. */
  readonly images: number;
  /** Files in the folder of images that no sample names. */
  readonly unused: number;
}

interface ImageFault {
  readonly kind: 'image-unavailable' | 'image-damaged';
  readonly what: string;
}

/** How many distinct images a dataset names. */
export function countImages(references: readonly ImageReference[]): number {
  return new Set(references.map(({ folder, name }) => `${folder}/${name}`)).size;
}

/** Reports every image of a dataset that is missing, lies elsewhere or cannot be decoded, once for each sample that names it. */
export async function checkImages(
  references: readonly ImageReference[],
  {
    dataset,
    directory,
    problems,
    checking,
  }: {
    readonly dataset: string;
    /** The dataset's folder. */
    readonly directory: string;
    readonly problems: ProblemList;
    readonly checking: ImageChecking;
  },
): Promise<ImageCounts> {
  const faults = new Map<string, Map<string, ImageFault | null>>();
  for (const [folder, named] of groupBy(references, (reference) => reference.folder)) {
    const names = new Set(named.map(({ name }) => name));
    const openFolder = await openOrExplain(path.join(directory, folder));
    if (typeof openFolder === 'string') {
      problems.of({ dataset, file: `${dataset}/${folder}` })({ kind: 'image-folder', what: openFolder });
      for (let skipped = 0; skipped < names.size; skipped++) checking.onImage();
    } else {
      faults.set(
        folder,
        await findFaults(names, { folder: path.join(directory, folder), check: openFolder, checking }),
      );
    }
  }
  const report = problems.of({ dataset, file: `${dataset}/${dataset}.json` });
  for (const { sampleId, field, folder, name } of references) {
    const fault = faults.get(folder)?.get(name);
    if (fault) report({ ...fault, sampleId, field });
  }
  const used = references.filter(({ folder }) => folder === 'images').map(({ name }) => name);
  return {
    images: countImages(references),
    unused: await countUnused(path.join(directory, 'images'), used),
  };
}

async function openOrExplain(folder: string): Promise<ImageCheck | string> {
  try {
    return await openImageFolder(folder);
  } catch (error) {
    return error instanceof UserError
      ? error.problem.what
      : `the folder of images cannot be read (${messageOf(error)})`;
  }
}

async function findFaults(
  names: ReadonlySet<string>,
  {
    folder,
    check,
    checking,
  }: { readonly folder: string; readonly check: ImageCheck; readonly checking: ImageChecking },
): Promise<Map<string, ImageFault | null>> {
  const faults = new Map<string, ImageFault | null>();
  await eachConcurrently(names, {
    limit: checking.concurrency,
    work: async (name) => {
      const unavailable = await check(name);
      const fault =
        unavailable === null
          ? await damageOf(path.join(folder, name), { name, readImage: checking.readImage })
          : ({ kind: 'image-unavailable', what: unavailable } as const);
      faults.set(name, fault);
      checking.onImage();
    },
  });
  return faults;
}

async function damageOf(
  file: string,
  { name, readImage }: { readonly name: string; readonly readImage: ReadImage | null },
): Promise<ImageFault | null> {
  const image = JSON.stringify(name);
  const { size } = await stat(file);
  if (size === 0) return { kind: 'image-damaged', what: `the image ${image} is an empty file` };
  try {
    await readImage?.(file);
    return null;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { kind: 'image-damaged', what: `the image ${image}: ${error.problem.what}` };
  }
}

async function countUnused(folder: string, used: readonly string[]): Promise<number> {
  const known = new Set(used.map((name) => path.join(folder, name)));
  const waiting = [folder];
  let unused = 0;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const entry of await readdir(next, { withFileTypes: true }).catch(() => [])) {
      const found = path.join(next, entry.name);
      if (entry.isDirectory()) waiting.push(found);
      else if (!known.has(found)) unused++;
    }
  }
  return unused;
}
