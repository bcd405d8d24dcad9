import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { suggestion } from '../config/suggestion.js';
import { UserError } from '../core/errors.js';
import type { Shell } from './shell.js';

/** Directories of the package that hold things with names. */
export type Shelf = 'models' | 'datasets';

async function isDirectory(candidate: string): Promise<boolean> {
  return (await stat(candidate).catch(() => null))?.isDirectory() ?? false;
}

/** Names on a shelf of the package, sorted. */
export async function shelfNames(packageRoot: string, shelf: Shelf): Promise<string[]> {
  const entries = await readdir(path.join(packageRoot, shelf), { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}

/**
 * The directory that a value means: a name on a shelf of the package, else a path from the current directory, else a
 * path from the package; `null` when there is none.
 */
export async function findAsset(
  value: string,
  { shelf, shell }: { readonly shelf: Shelf; readonly shell: Shell },
): Promise<string | null> {
  const { packageRoot, cwd } = shell;
  const isName = path.basename(value) === value && value !== '.' && value !== '..';
  const candidates = [
    ...(isName ? [path.join(packageRoot, shelf, value)] : []),
    path.resolve(cwd, value),
    path.resolve(packageRoot, value),
  ];
  for (const candidate of candidates) if (await isDirectory(candidate)) return candidate;
  return null;
}

/** The directory of a dataset, as `findAsset` finds it. Throws a `UserError` for none; `where` says who asks. */
export async function resolveDataset(
  value: string,
  { where, shell }: { readonly where: string; readonly shell: Shell },
): Promise<string> {
  const shelf = 'datasets';
  const found = await findAsset(value, { shelf, shell });
  if (found !== null) return found;
  const names = await shelfNames(shell.packageRoot, shelf);
  const fix = `${suggestion(value, names)}give a path or one of: ${names.join(', ')}`;
  throw new UserError({ what: `no directory "${value}"`, where, fix });
}
