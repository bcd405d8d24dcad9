import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../core/errors.js';
import { fileExists } from '../core/json-file.js';
import type { ArchiveLimits } from './archive-limits.js';
import { asDiskProblem, freeBytes } from './disk-space.js';
import { downloadFile, removeDownload } from './download-file.js';
import { extractArchive } from './extract-archive.js';
import { archivePath, checkSpace, type FetchPlan, planFetch } from './fetch-plan.js';
import { type FetchState, fetchFolderName, readFetchState } from './fetch-state.js';
import type { HubConnection } from './hub-connection.js';
import { installDataset } from './install-dataset.js';
import { listFiles, pinRevision, type RemoteFile } from './list-files.js';
import { datasetPath, mileBench, mileBenchArchives } from './milebench-archives.js';
import { describeRepository, type PinnedRepository } from './repository.js';

/** How far a fetch has come; bytes are those of the archives. */
export interface FetchProgress {
  readonly doing: 'downloading' | 'unpacking';
  readonly archive: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/** A dataset that is there after a fetch. */
export interface FetchOutcome {
  readonly name: string;
  readonly status: 'fetched' | 'present';
  readonly archive: string;
  readonly checksum: string;
  readonly files: number;
  readonly bytes: number;
}

export interface FetchSummary {
  readonly repository: string;
  readonly commit: string;
  /** In the order they were asked for. */
  readonly datasets: readonly FetchOutcome[];
  /** Bytes that came over the network. */
  readonly downloadedBytes: number;
}

export interface FetchRequest {
  readonly hub: HubConnection;
  readonly revision: string;
  /** Directory the datasets go into. */
  readonly root: string;
  readonly datasets: readonly string[];
  readonly keepArchives: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: FetchProgress) => void;
  /** Bytes free on the disk of a directory. */
  readonly freeBytes?: (directory: string) => Promise<number>;
  readonly limits?: ArchiveLimits;
}

/**
 * Brings datasets of MileBench into a root: downloads the archives they are in, checks them, unpacks the datasets and
 * removes the archives. Whatever ends it, the same call continues; a dataset's folder is whole or absent at any time,
 * and datasets that are there are left alone.
 *
 * @throws UserError when the hub refuses or cannot be reached, an archive is not what the hub lists or holds what it
 *   must not, a dataset is in no archive, a folder is in the way, or the disk is full; the reason of `signal`
 */
export async function fetchMileBench(request: FetchRequest): Promise<FetchSummary> {
  const { hub, root, datasets, signal, keepArchives } = request;
  const ref = { ...mileBench, revision: request.revision };
  const name = describeRepository(ref);
  await makeFolder(path.join(root, fetchFolderName));
  let state = await readFetchState(root, mileBench.id);
  const repository = await pinRevision(hub, { repository: ref, signal });
  const files = await listFiles(hub, { repository, signal });
  const plan = await planFetch({ root, datasets, state, files, repository: name });
  await checkSpace({ root, plan, keepArchives, freeBytes: request.freeBytes ?? freeBytes });
  const fetched = new Map<string, string>();
  let downloadedBytes = 0;
  let doneBytes = 0;
  const totalBytes = plan.archives.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const file of plan.archives) {
    const report = (doing: FetchProgress['doing'], bytes: number): void => {
      request.onProgress({ doing, archive: file.path, doneBytes: doneBytes + bytes, totalBytes });
    };
    const target = archivePath(root, file);
    const onBytes = (bytes: number): void => report('downloading', bytes);
    downloadedBytes += await downloadFile({ hub, repository, file, target, signal, onBytes });
    report('unpacking', file.bytes);
    state = await unpack(request, { plan, file, target, repository, state, fetched });
    if (!keepArchives) await removeDownload(target);
    doneBytes += file.bytes;
  }
  checkComplete(plan, fetched);
  const outcomes = datasets.map((dataset): FetchOutcome => {
    const entry = state.datasets[dataset]!;
    const { archive, checksum, files: count, bytes } = entry;
    const status = fetched.has(dataset) ? 'fetched' : 'present';
    return { name: dataset, status, archive, checksum, files: count, bytes };
  });
  return { repository: mileBench.id, commit: repository.commit, datasets: outcomes, downloadedBytes };
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw asDiskProblem(error, folder);
  }
}

interface Unpacking {
  readonly plan: FetchPlan;
  readonly file: RemoteFile;
  readonly target: string;
  readonly repository: PinnedRepository;
  readonly state: FetchState;
  /** Archive of each dataset that this fetch has unpacked; grows. */
  readonly fetched: Map<string, string>;
}

/** Unpacks the wanted datasets of one archive beside the root and moves them in when all of it was sound. */
async function unpack(
  { root, signal, limits }: FetchRequest,
  { plan, file, target, repository, state, fetched }: Unpacking,
): Promise<FetchState> {
  const into = path.join(root, fetchFolderName, 'staging');
  const place = (segments: readonly string[]): readonly string[] | null => {
    const below = datasetPath(segments);
    const [dataset] = below;
    if (dataset === undefined || !plan.absent.includes(dataset)) return null;
    const other = fetched.get(dataset);
    if (other === undefined) return below;
    const fix = 'give another --revision';
    throw new UserError({ what: `it holds ${dataset}, and so does ${other}`, where: file.path, fix });
  };
  const folders = await extractArchive({ archive: target, into, place, signal, ...(limits && { limits }) });
  let next = state;
  try {
    for (const dataset of folders.keys()) await checkAnnotation(into, dataset, file.path);
    for (const [name, counts] of folders) {
      const entry = { commit: repository.commit, archive: file.path, checksum: file.checksum.hex, ...counts };
      next = await installDataset({ root, name, staged: path.join(into, name), entry, state: next });
      fetched.set(name, file.path);
    }
  } catch (error) {
    throw asDiskProblem(error, root);
  } finally {
    await rm(into, { recursive: true, force: true });
  }
  return next;
}

async function checkAnnotation(into: string, dataset: string, archive: string): Promise<void> {
  const annotation = `${dataset}/${dataset}.json`;
  if (await fileExists(path.join(into, annotation))) return;
  const fix = 'give another --revision';
  throw new UserError({ what: `it holds ${dataset} without ${annotation}`, where: archive, fix });
}

function checkComplete({ absent, archives }: FetchPlan, fetched: ReadonlyMap<string, string>): void {
  const missing = absent.filter((name) => !fetched.has(name));
  if (missing.length === 0) return;
  const looked = archives.map((file) => file.path).join(', ');
  const isEverything = archives.length === Object.keys(mileBenchArchives).length;
  const fix = isEverything ? 'give another --revision' : 'leave --tasks out to look into every archive';
  throw new UserError({ what: `${missing.join(', ')} not found in it`, where: looked, fix });
}
