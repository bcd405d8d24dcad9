import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { type FetchedDataset, type FetchState, fetchFolderName, writeFetchState } from './fetch-state.js';

/**
 * Moves an unpacked dataset into a root, in place of an older copy, and writes it into the state. At every moment the
 * dataset's folder is whole or absent, and what the state says of a folder that is there is true: the older copy goes
 * first, then the state changes, then the new copy appears. Returns the new state.
 */
export async function installDataset({
  root,
  name,
  staged,
  entry,
  state,
}: {
  readonly root: string;
  readonly name: string;
  /** Where the unpacked dataset lies, on the same disk. */
  readonly staged: string;
  readonly entry: FetchedDataset;
  readonly state: FetchState;
}): Promise<FetchState> {
  const target = path.join(root, name);
  const outgoing = path.join(root, fetchFolderName, 'outgoing');
  await rm(outgoing, { recursive: true, force: true });
  await mkdir(outgoing);
  await rename(target, path.join(outgoing, name)).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  });
  const next = { ...state, datasets: { ...state.datasets, [name]: entry } };
  await writeFetchState(root, next);
  await rename(staged, target);
  await rm(outgoing, { recursive: true, force: true });
  return next;
}
