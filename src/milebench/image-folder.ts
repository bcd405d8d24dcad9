import { readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../core/errors.js';

/** Whether a name from an annotation could lead out of the folder it is joined to. */
function leavesFolder(name: string): boolean {
  const absolute = path.posix.isAbsolute(name) || path.win32.isAbsolute(name);
  return absolute || name.includes('\0') || name.split(/[\\/]/).includes('..');
}

/** Says why the image of a name cannot be used, `null` when it can. */
export type ImageCheck = (name: string) => Promise<string | null>;

export function missingFolder(folder: string, options?: ErrorOptions): UserError {
  const fix = 'unpack the images of the dataset there';
  return new UserError({ what: 'the folder of images is missing', where: folder, fix }, options);
}

/**
 * A check of image names from an annotation: each must be a file whose real path lies inside the folder, so neither
 * `..`, absolute names nor symbolic links lead out of it. Answers are remembered.
 * Throws a `UserError` when the folder itself is missing or is a link out of the root its dataset is in.
 */
export async function openImageFolder(folder: string): Promise<ImageCheck> {
  const realFolder = await realpath(folder).catch((cause: unknown) => {
    throw missingFolder(folder, { cause });
  });
  if (!(await isPartOfDataset(folder, realFolder))) {
    const fix = 'put the images themselves there, or link the whole dataset';
    throw new UserError({ what: 'the folder of images is a link out of the root', where: folder, fix });
  }
  const known = new Map<string, string | null>();
  // What the folder itself lists as a file is inside it and no link: no need to look at each.
  for (const entry of await readdir(realFolder, { withFileTypes: true })) {
    if (entry.isFile()) known.set(entry.name, null);
  }
  return async (name) => {
    const remembered = known.get(name);
    if (remembered !== undefined) return remembered;
    const problem = await findProblem(realFolder, name);
    known.set(name, problem);
    return problem;
  };
}

/** Whether a folder `<root>/<Dataset>/<folder>` really lies in the root, or in what the dataset's own folder links to. */
async function isPartOfDataset(folder: string, realFolder: string): Promise<boolean> {
  const dataset = path.dirname(folder);
  for (const holder of [dataset, path.dirname(dataset)]) {
    if (realFolder.startsWith((await realpath(holder)) + path.sep)) return true;
  }
  return false;
}

async function findProblem(realFolder: string, name: string): Promise<string | null> {
  const image = JSON.stringify(name);
  if (leavesFolder(name)) return `the image ${image} is not a path inside the folder of images`;
  try {
    const real = await realpath(path.join(realFolder, name));
    if (!real.startsWith(realFolder + path.sep))
      return `the image ${image} leads out of the folder of images`;
    return (await stat(real)).isFile() ? null : `the image ${image} is not a file`;
  } catch {
    return `the image ${image} does not exist`;
  }
}
