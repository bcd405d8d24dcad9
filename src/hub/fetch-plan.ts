import { stat } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../core/errors.js';
import { describeBytes } from './disk-space.js';
import { missingBytes } from './download-file.js';
import { type FetchState, fetchFolderName } from './fetch-state.js';
import type { RemoteFile } from './list-files.js';
import { mileBenchArchives } from './milebench-archives.js';

/** What has to be downloaded for the datasets that are asked for. */
export interface FetchPlan {
  /** Datasets that are there, from archives that have not changed since. */
  readonly present: readonly string[];
  /** Datasets that are to be unpacked. */
  readonly absent: readonly string[];
  readonly archives: readonly RemoteFile[];
}

/**
 * Compares what is asked for with what is there and with what the repository has.
 *
 * @throws UserError for a folder in the way that was not fetched, and for an archive that the repository lacks
 */
export async function planFetch({
  root,
  datasets,
  state,
  files,
  repository,
}: {
  readonly root: string;
  readonly datasets: readonly string[];
  readonly state: FetchState;
  readonly files: readonly RemoteFile[];
  /** As messages name it. */
  readonly repository: string;
}): Promise<FetchPlan> {
  const present: string[] = [];
  const absent: string[] = [];
  for (const name of datasets) {
    const entry = Object.hasOwn(state.datasets, name) ? state.datasets[name] : undefined;
    const folder = path.join(root, name);
    const isThere = (await stat(folder).catch(() => null)) !== null;
    if (isThere && entry === undefined) {
      const fix = 'move it away or give another --out';
      throw new UserError({ what: 'is there already and was not fetched', where: folder, fix });
    }
    const current = files.find((file) => file.path === entry?.archive);
    const isCurrent = current !== undefined && current.checksum.hex === entry?.checksum;
    (isThere && isCurrent ? present : absent).push(name);
  }
  const archives: RemoteFile[] = [];
  for (const [archive, held] of Object.entries(mileBenchArchives)) {
    if (!held.some((name) => absent.includes(name))) continue;
    const file = files.find((candidate) => candidate.path === archive);
    if (file === undefined) {
      const fix = 'check --revision and --endpoint';
      throw new UserError({ what: `there is no file ${archive}`, where: repository, fix });
    }
    archives.push(file);
  }
  return { present, absent, archives };
}

/** Unpacked for packed bytes: images hardly shrink, annotations are small, and small files fill whole blocks. */
const roomForUnpacked = 1.25;

/**
 * Checks that the disk has room for a plan. What part of an archive a dataset fills is not known, so each is counted
 * alike; the check is there to spare hours, and a disk that fills nevertheless is told of when it does.
 *
 * @throws UserError saying how much is missing
 */
export async function checkSpace({
  root,
  plan,
  keepArchives,
  freeBytes,
}: {
  readonly root: string;
  readonly plan: FetchPlan;
  readonly keepArchives: boolean;
  readonly freeBytes: (directory: string) => Promise<number>;
}): Promise<void> {
  let unpacked = 0;
  const packed: number[] = [];
  for (const file of plan.archives) {
    const held = mileBenchArchives[file.path] ?? [];
    const wanted = held.filter((name) => plan.absent.includes(name)).length;
    unpacked += roomForUnpacked * file.bytes * (wanted / held.length);
    packed.push(await missingBytes(archivePath(root, file), file));
  }
  const downloads = keepArchives ? packed.reduce((sum, bytes) => sum + bytes, 0) : Math.max(0, ...packed);
  const needed = Math.ceil(unpacked + downloads);
  const free = await freeBytes(root);
  if (needed <= free) return;
  const fix = `free ${describeBytes(needed - free)} or give another --out`;
  const what = `some ${describeBytes(needed)} are needed and ${describeBytes(free)} are free`;
  throw new UserError({ what, where: root, fix });
}

/** Where an archive is kept while it is needed. */
export function archivePath(root: string, file: RemoteFile): string {
  return path.join(root, fetchFolderName, path.posix.basename(file.path));
}
