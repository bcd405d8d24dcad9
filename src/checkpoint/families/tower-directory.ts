import { stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { UserError } from '../../core/errors.js';
import type { CheckpointPlace } from './family.js';

/** Names of a tower's files in a manifest start with this. */
export const towerFilePrefix = 'vision/';

/**
 * Directory of a vision tower that is not part of its checkpoint: the one the user names, else a folder in the
 * checkpoint with one of the names in `folders` or that of the tower's repository, else the repository's path from the
 * checkpoint, else a folder with the repository's name next to the checkpoint.
 *
 * @param named the tower's repository or path as the config has it
 * @throws UserError when there is none
 */
export async function towerDirectory(
  { path, vision }: CheckpointPlace,
  named: string,
  folders: readonly string[] = [],
): Promise<string> {
  if (vision !== undefined) {
    if (await isDirectory(vision)) return vision;
    throw new UserError({
      where: vision,
      what: 'is not a directory',
      fix: 'let --vision point to a downloaded vision tower',
    });
  }
  const repository = basename(named);
  const places = [
    ...[...folders, repository].map((folder) => join(path, folder)),
    resolve(path, named),
    join(dirname(resolve(path)), repository),
  ];
  for (const dir of places) if (await isDirectory(dir)) return dir;
  throw new UserError({
    where: path,
    what: `needs the vision tower ${named}, which is not beside it`,
    fix: 'download it and pass its directory with --vision',
  });
}

/** Whether something is a directory. */
export async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() ?? false;
}
