import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { messageOf, UserError } from '../core/errors.js';
import { verifyBackboneVectors } from './backbone-vectors.js';
import { verifyEvalVectors } from './eval-vectors.js';
import { verifyKvVectors } from './kv-vectors.js';
import { verifyPromptVectors } from './prompt-vectors.js';
import type { ModeTally, VectorFormat } from './tally.js';
import { datasetRuns, vectorFormats } from './vector-format.js';

/** Vectors lie at most this deep below a directory given: a set, a format, a family, its parts. */
const mostDepth = 4;

/** A directory of vectors in one of the documented formats, told by its files. */
interface VectorSet {
  readonly directory: string;
  readonly format: VectorFormat;
}

/** Runs the vectors of a directory, by format: one tally a mode. */
const verifiers = Object.freeze({
  kv: verifyKvVectors,
  backbones: verifyBackboneVectors,
  prompt: verifyPromptVectors,
  eval: verifyEvalVectors,
} as const satisfies Record<VectorFormat, (directory: string) => Promise<ModeTally[]>>);

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
        what: 'no golden vectors found (index.json of kv/, golden.json of a backbone, files of eval/ or prompt/)',
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
    return await verifiers[format](directory);
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
  const entries = await listFolder(directory);
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const runs = folders.includes(datasetRuns) ? await listFolder(path.join(directory, datasetRuns)) : [];
  const formats = vectorFormats([
    ...entries.map(({ name }) => name),
    ...runs.map(({ name }) => `${datasetRuns}/${name}`),
  ]);
  if (formats.length > 0) return formats.map((format) => ({ directory, format }));
  const sets: VectorSet[] = [];
  if (depth === mostDepth) return sets;
  for (const folder of folders.sort()) {
    sets.push(...(await findVectors(path.join(directory, folder), depth + 1)));
  }
  return sets;
}

function listFolder(directory: string): Promise<Dirent[]> {
  return readdir(directory, { withFileTypes: true }).catch((error: unknown) => {
    throw new UserError({
      where: directory,
      what: `cannot be read (${messageOf(error)})`,
      fix: 'name a directory',
    });
  });
}
