import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { messageOf, UserError } from '../core/errors.js';
import { verifyBackboneVectors } from './backbone-vectors.js';
import { verifyKvVectors } from './kv-vectors.js';
import type { ModeTally } from './tally.js';

/** Vectors lie at most this deep below a directory given: a set, a format, a family, its parts. */
const mostDepth = 4;

/** A directory of vectors in one of the documented formats, told by its files. */
interface VectorSet {
  readonly directory: string;
  readonly format: 'kv' | 'backbones';
}

/**
 * Finds the golden vectors in and below the directories and runs them.
 *
 * @throws UserError when a directory does not exist or holds no vectors
 */
export async function verifyDirectories(directories: readonly string[]): Promise<ModeTally[]> {
  const sets: VectorSet[] = [];
  for (const directory of directories) {
    const found = await findVectors(directory, 0);
    if (found.length === 0) {
      throw new UserError({
        where: directory,
        what: 'no golden vectors found (kv/index.json, or golden.json beside a checkpoint)',
        fix: 'give a directory of vectors, such as test/fixtures',
      });
    }
    sets.push(...found);
  }
  const tallies: ModeTally[] = [];
  for (const set of sets) tallies.push(...(await verifySet(set)));
  return tallies;
}

/** Damaged vectors count as failed, and do not keep the other directories from being verified. */
async function verifySet({ directory, format }: VectorSet): Promise<ModeTally[]> {
  try {
    return await (format === 'kv' ? verifyKvVectors(directory) : verifyBackboneVectors(directory));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return [
      {
        format,
        directory,
        mode: 'all',
        status: 'failed',
        cases: 0,
        identicalSelections: null,
        worstError: null,
        identicalTokens: null,
        notes: [messageOf(error)],
      },
    ];
  }
}

async function findVectors(directory: string, depth: number): Promise<VectorSet[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((error: unknown) => {
    throw new UserError({
      where: directory,
      what: `cannot be read (${messageOf(error)})`,
      fix: 'name a directory',
    });
  });
  const format = vectorFormat(new Set(entries.map((entry) => entry.name)));
  if (format !== null) return [{ directory, format }];
  const sets: VectorSet[] = [];
  if (depth === mostDepth) return sets;
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.isDirectory()) sets.push(...(await findVectors(path.join(directory, entry.name), depth + 1)));
  }
  return sets;
}

/** Told by the files beside it, so that a damaged description fails instead of being passed over. */
function vectorFormat(files: ReadonlySet<string>): VectorSet['format'] | null {
  if (files.has('golden.json') && files.has('config.json')) return 'backbones';
  const hasTensors = [...files].some((file) => file.endsWith('.safetensors'));
  return files.has('index.json') && hasTensors ? 'kv' : null;
}
