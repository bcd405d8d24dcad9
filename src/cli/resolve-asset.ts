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
 * The directory a run file or a flag means: a name on a shelf of the package, else a path from the current directory,
 * else a path from the package. Throws a `UserError` when there is none; `where` says who asks.
 */
export async function resolveAsset(
  value: string,
  { shelf, where, shell }: { readonly shelf: Shelf; readonly where: string; readonly shell: Shell },
): Promise<string> {
  const { packageRoot, cwd } = shell;
  const isName = path.basename(value) === value && value !== '.' && value !== '..';
  const candidates = [
    ...(isName ? [path.join(packageRoot, shelf, value)] : []),
    path.resolve(cwd, value),
    path.resolve(packageRoot, value),
  ];
  for (const candidate of candidates) if (await isDirectory(candidate)) return candidate;
  const names = await shelfNames(packageRoot, shelf);
  const what = `no directory "${value}"`;
  throw new UserError({
    what,
    where,
    fix: `${suggestion(value, names)}give a path or one of: ${names.join(', ')}`,
  });
}
