import { stat } from 'node:fs/promises';
import path from 'node:path';
import { openBundle } from '../backbone/open-bundle.js';
import { findPromptTemplate } from '../backbone/prompt-template.js';
import { convertCheckpoint } from '../convert/convert-checkpoint.js';
import { dtypeName } from '../convert/dtype-name.js';
import { estimateBundleBytes } from '../convert/estimate-bundle.js';
import type { DtypeOptions } from '../convert/weight-formats.js';
import { canonicalJson } from '../core/content-hash.js';
import { UserError } from '../core/errors.js';
import { freeBytes } from '../hub/disk-space.js';
import type { HubConnection } from '../hub/hub-connection.js';
import type { RemoteFile } from '../hub/list-files.js';
import {
  type BackboneFiles,
  type BackboneSource,
  openBackboneFiles,
  type RepositoryPart,
} from './backbone-files.js';
import { type PullRecord, readPullRecord, writePullRecord } from './pull-record.js';
import { checkSpace } from './space.js';

/** The bundle that a backbone becomes. */
export interface BundleRequest {
  readonly directory: string;
  readonly name: string;
  /** Name of the prompt template; that of the family when `null`. */
  readonly template: string | null;
  readonly dtypes: DtypeOptions;
  /** Whether a bundle that is there and is not the one asked for may be replaced. */
  readonly replace: boolean;
}

/** How far a pull has come. */
export interface PullProgress {
  readonly doing: 'downloading' | 'converting';
  /** File that is downloaded, or name of the bundle. */
  readonly subject: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface PullRequest {
  readonly hub: HubConnection;
  readonly source: BackboneSource;
  /** Folder of all checkpoints; each has one of its own in it. */
  readonly checkpoints: string;
  /** `null` = download only. */
  readonly bundle: BundleRequest | null;
  /** Whether the weights stay where they were downloaded to, for other bundles of them. */
  readonly keepCheckpoint: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: PullProgress) => void;
  /** Bytes free on the disk of a directory. */
  readonly freeBytes?: (directory: string) => Promise<number>;
}

/** A repository that was pulled from, and where its files are. */
export interface PulledRepository {
  readonly repository: string;
  readonly commit: string;
  readonly directory: string;
  /** All needed files together. */
  readonly bytes: number;
}

export interface PullSummary {
  readonly model: PulledRepository;
  readonly vision: PulledRepository | null;
  readonly family: string;
  /** Bytes that came over the network. */
  readonly downloadedBytes: number;
  /** Whether the weights are on the disk. */
  readonly hasCheckpoint: boolean;
  readonly bundle: {
    readonly directory: string;
    readonly status: 'converted' | 'present';
    readonly bytes: number;
  } | null;
}

/**
 * Brings a backbone of the hub to the disk: downloads the needed files of its repositories, checks them, and converts
 * them into a bundle. Whatever ends it, the same call continues: what was downloaded is kept and checked, a bundle is
 * whole or absent, and one that is there and was made of the same files in the same way is left alone, with no weights
 * downloaded. Backbones that cannot be used and disks without room are refused before any weights come.
 *
 * @throws UserError when the hub refuses or cannot be reached, a file is not what the hub lists, the backbone is not
 *   supported, a directory is in the way, or the disk is full; the reason of `signal`
 */
export async function pullBackbone(request: PullRequest): Promise<PullSummary> {
  const { hub, signal, source, checkpoints } = request;
  const progress = new DownloadProgress(request.onProgress);
  const files = await openBackboneFiles(source, {
    checkpoints,
    downloading: { hub, signal, onBytes: (file, bytes) => progress.update(file, bytes) },
  });
  try {
    const { bundle } = request;
    const record = bundle === null ? null : recordOf(files, bundle);
    const isPresent = bundle !== null && record !== null && (await isCurrent(bundle, record));
    if (!isPresent) {
      await downloadWeights(files, request, progress);
      if (bundle !== null && record !== null) await makeBundle(files, bundle, record, request);
    }
    if (bundle !== null && !request.keepCheckpoint) {
      for (const { copy, weights } of partsOf(files)) await copy.remove(weights);
    }
    return await summaryOf(files, request, isPresent);
  } finally {
    await files.close();
  }
}

function partsOf({ model, tower }: BackboneFiles): RepositoryPart[] {
  return tower === null ? [model] : [model, tower];
}

/** What a bundle is made of and how: two equal records mean equal bundles. */
function recordOf(files: BackboneFiles, { template, dtypes }: BundleRequest): PullRecord {
  const origin = ({ copy }: RepositoryPart) => ({
    repository: copy.repository.id,
    commit: copy.repository.commit,
  });
  const listed = partsOf(files).flatMap(({ copy, configs, weights }) =>
    [...configs, ...weights].map(({ path: name, checksum }) => [
      `${copy.repository.id}/${name}`,
      checksum.hex,
    ]),
  );
  return {
    format: 1,
    model: origin(files.model),
    vision: files.tower && origin(files.tower),
    files: Object.fromEntries(listed),
    options: { template: template ?? files.configs.family.template, dtype: dtypeName(dtypes) },
  };
}

/** Whether the bundle is there, made of the same files in the same way. Commits that changed none of them are alike. */
async function isCurrent({ directory, replace }: BundleRequest, record: PullRecord): Promise<boolean> {
  if ((await stat(directory).catch(() => null)) === null) return false;
  const before = await readPullRecord(directory);
  const same = (a: PullRecord, b: PullRecord): boolean =>
    canonicalJson([a.files, a.options]) === canonicalJson([b.files, b.options]);
  if (before !== null && same(before, record) && (await isUsable(directory))) return true;
  if (replace) return false;
  const fix = 'give another --out or --force';
  throw new UserError({ what: 'already exists and is not what is asked for', where: directory, fix });
}

async function isUsable(directory: string): Promise<boolean> {
  try {
    await openBundle(directory, { verify: 'sizes' });
    return true;
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}

/** Shows downloads of weights as one. */
class DownloadProgress {
  readonly #onProgress: PullRequest['onProgress'];
  readonly #onDisk = new Map<RemoteFile, number>();
  #totalBytes = 0;

  constructor(onProgress: PullRequest['onProgress']) {
    this.#onProgress = onProgress;
  }

  expect(files: readonly RemoteFile[]): void {
    for (const { bytes } of files) this.#totalBytes += bytes;
  }

  update(file: RemoteFile, bytes: number): void {
    // Configs come before anything is expected and are too small to show.
    if (this.#totalBytes === 0) return;
    this.#onDisk.set(file, bytes);
    const doneBytes = [...this.#onDisk.values()].reduce((sum, each) => sum + each, 0);
    this.#onProgress({ doing: 'downloading', subject: file.path, doneBytes, totalBytes: this.#totalBytes });
  }
}

async function downloadWeights(
  files: BackboneFiles,
  { checkpoints, bundle, freeBytes: free = freeBytes }: PullRequest,
  progress: DownloadProgress,
): Promise<void> {
  const parts = partsOf(files);
  let missing = 0;
  for (const { copy, configs, weights } of parts) {
    await copy.keepOnly([...configs, ...weights]);
    missing += await copy.missingBytes(weights);
    progress.expect(weights);
  }
  const needs = [{ directory: checkpoints, bytes: missing }];
  if (bundle !== null) {
    const bytes = estimateBundleBytes(files.configs.description, bundle.dtypes);
    needs.push({ directory: path.dirname(bundle.directory), bytes });
  }
  await checkSpace(needs, free);
  for (const { copy, weights } of parts) await copy.fetch(weights);
}

async function makeBundle(
  { model, tower }: BackboneFiles,
  { directory, name, template, dtypes }: BundleRequest,
  record: PullRecord,
  { signal, onProgress }: PullRequest,
): Promise<void> {
  await convertCheckpoint({
    ...dtypes,
    checkpoint: model.copy.folder,
    vision: tower?.copy.folder,
    out: directory,
    name,
    prompt: template === null ? undefined : findPromptTemplate(template),
    onProgress: ({ doneBytes, totalBytes }) => {
      // Between two blocks: a bundle that is not whole is removed, and the checkpoint stays.
      signal.throwIfAborted();
      onProgress({ doing: 'converting', subject: name, doneBytes, totalBytes });
    },
  });
  await writePullRecord(directory, record);
}

async function summaryOf(
  files: BackboneFiles,
  { bundle }: PullRequest,
  wasPresent: boolean,
): Promise<PullSummary> {
  const parts = partsOf(files);
  const repositories = parts.map(({ copy, configs, weights }): PulledRepository => {
    const { id: repository, commit } = copy.repository;
    const bytes = [...configs, ...weights].reduce((sum, file) => sum + file.bytes, 0);
    return { repository, commit, directory: copy.folder, bytes };
  });
  let missing = 0;
  for (const { copy, weights } of parts) missing += await copy.missingBytes(weights);
  return {
    model: repositories[0]!,
    vision: repositories[1] ?? null,
    family: files.configs.family.family,
    downloadedBytes: parts.reduce((sum, { copy }) => sum + copy.receivedBytes, 0),
    hasCheckpoint: missing === 0,
    bundle: bundle && {
      directory: bundle.directory,
      status: wasPresent ? 'present' : 'converted',
      bytes: await bundleBytes(bundle.directory),
    },
  };
}

async function bundleBytes(directory: string): Promise<number> {
  const { manifest } = await openBundle(directory, { verify: 'sizes' });
  return manifest.files.reduce((sum, file) => sum + file.bytes, 0);
}
