import path from 'node:path';
import { z } from 'zod';
import { fileExists, readJsonFile } from '../core/json-file.js';
import { writeAtomically } from '../core/write-atomically.js';

/** Folder of downloads in progress and of the state; loaders pass over names with a dot. */
export const fetchFolderName = '.fetch';

const datasetSchema = z.strictObject({
  /** Commit of the repository it was fetched at. */
  commit: z.string(),
  archive: z.string(),
  /** Checksum of the archive, in hexadecimal. */
  checksum: z.string(),
  files: z.int().min(0),
  bytes: z.int().min(0),
});

const stateSchema = z.strictObject({
  format: z.literal(1),
  repository: z.string(),
  datasets: z.record(z.string(), datasetSchema),
});

/** What is known of a dataset that was fetched whole. */
export type FetchedDataset = z.output<typeof datasetSchema>;

/** The datasets of a root that were fetched. */
export type FetchState = z.output<typeof stateSchema>;

function stateFile(root: string): string {
  return path.join(root, fetchFolderName, 'state.json');
}

/** Reads the state of a root, an empty one where nothing was fetched. Throws a `UserError` for a damaged file. */
export async function readFetchState(root: string, repository: string): Promise<FetchState> {
  const file = stateFile(root);
  if (!(await fileExists(file))) return { format: 1, repository, datasets: {} };
  return readJsonFile(file, stateSchema, `remove it and the fetched folders beside ${fetchFolderName}`);
}

/** Replaces the state of a root as a whole. */
export async function writeFetchState(root: string, state: FetchState): Promise<void> {
  await writeAtomically(stateFile(root), `${JSON.stringify(state, null, 2)}\n`);
}
