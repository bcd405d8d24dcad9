import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { openBundle } from '../backbone/open-bundle.js';
import { parseDtypeName } from '../convert/dtype-name.js';
import { textDtypes } from '../convert/weight-formats.js';
import { UserError } from '../core/errors.js';

/** A bundle that was made of a repository and is in the cache. */
export interface PulledBundle {
  /** Element types of its weights, such as `int4` or `int4-b128`. */
  readonly variant: string;
  readonly directory: string;
  readonly bytes: number;
}

/** What loses least comes first. */
function rank(variant: string): number {
  const dtypes = parseDtypeName(variant);
  return dtypes === null ? textDtypes.length : textDtypes.indexOf(dtypes.dtype);
}

/** Folder of the bundles of a preset or repository. No name of a repository has two dashes in a row. */
export function pulledFolder(root: string, name: string): string {
  return path.join(root, name.replace('/', '--'));
}

async function visibleNames(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(() => [])).filter((name) => !name.startsWith('.'));
}

async function openPulled(directory: string): Promise<PulledBundle | null> {
  try {
    const { manifest } = await openBundle(directory, { verify: 'sizes' });
    const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
    return { variant: path.basename(directory), directory, bytes };
  } catch (error) {
    // Of another format or damaged: it has to be pulled again.
    if (error instanceof UserError) return null;
    throw error;
  }
}

/** The usable bundles of a preset or repository, what loses least first. */
export async function pulledBundles(root: string, name: string): Promise<PulledBundle[]> {
  const folder = pulledFolder(root, name);
  const bundles: PulledBundle[] = [];
  for (const variant of (await visibleNames(folder)).sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))) {
    const bundle = await openPulled(path.join(folder, variant));
    if (bundle !== null) bundles.push(bundle);
  }
  return bundles;
}

/** Names of presets and repositories with bundles in the cache, sorted. */
export async function pulledNames(root: string): Promise<string[]> {
  return (await visibleNames(root)).sort().map((name) => name.replace('--', '/'));
}
