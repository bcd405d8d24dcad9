import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { shardNames } from '../checkpoint/weight-file-names.js';
import { lockDirectory } from '../core/directory-lock.js';
import { asDiskProblem } from '../hub/disk-space.js';
import { downloadFile, missingBytes, partPath, removeDownload } from '../hub/download-file.js';
import type { HubConnection } from '../hub/hub-connection.js';
import { listFiles, pinRevision, type RemoteFile } from '../hub/list-files.js';
import { describeRepository, type PinnedRepository } from '../hub/repository.js';
import { filesNamed, isCheckpointFile, isIndex, shardFiles, weightsOrIndex } from './wanted-files.js';

/** A repository of the hub and a branch, tag or commit of it. */
export interface ModelSource {
  readonly repository: string;
  readonly revision: string;
}

/** What every download needs. */
export interface Downloading {
  readonly hub: HubConnection;
  readonly signal: AbortSignal;
  /** Hears which file is being downloaded, and how much of it is on the disk. */
  readonly onBytes: (file: RemoteFile, bytes: number) => void;
}

const partEnding = /\.[0-9a-f]+\.part$/;

/**
 * The part of a repository that is needed, in a folder of its own below a folder of checkpoints, which no other process
 * writes to meanwhile. What is there from earlier is kept if it is what this commit has. Close it when done.
 */
export class RepositoryCopy {
  readonly folder: string;
  readonly repository: PinnedRepository;
  readonly #files: readonly RemoteFile[];
  readonly #downloading: Downloading;
  readonly #release: () => Promise<void>;
  #received = 0;

  private constructor(opened: {
    readonly folder: string;
    readonly repository: PinnedRepository;
    readonly files: readonly RemoteFile[];
    readonly downloading: Downloading;
    readonly release: () => Promise<void>;
  }) {
    this.folder = opened.folder;
    this.repository = opened.repository;
    this.#files = opened.files;
    this.#downloading = opened.downloading;
    this.#release = opened.release;
  }

  /**
   * Pins a revision, lists its files and locks the folder; downloads nothing.
   *
   * @throws UserError when the hub refuses or cannot be reached, or another process uses the folder
   */
  static async open(
    { repository: id, revision }: ModelSource,
    checkpoints: string,
    downloading: Downloading,
  ): Promise<RepositoryCopy> {
    const { hub, signal } = downloading;
    const repository = await pinRevision(hub, { repository: { type: 'model', id, revision }, signal });
    const files = await listFiles(hub, { repository, signal });
    // No name of a repository has two dashes in a row.
    const folder = path.join(checkpoints, id.replace('/', '--'));
    await mkdir(folder, { recursive: true }).catch((error: unknown) => {
      throw asDiskProblem(error, folder);
    });
    const release = await lockDirectory(folder, { instead: 'give another --checkpoint-dir' });
    return new RepositoryCopy({ folder, repository, files, downloading, release });
  }

  /** As messages name it. */
  get name(): string {
    return describeRepository(this.repository);
  }

  /** Bytes that came over the network. */
  get receivedBytes(): number {
    return this.#received;
  }

  async close(): Promise<void> {
    await this.#release();
  }

  /** Downloads those of the named files that the repository has; others of these names are removed. */
  async fetchNamed(names: readonly string[]): Promise<readonly RemoteFile[]> {
    const wanted = filesNamed(this.#files, names);
    for (const name of names) {
      if (!wanted.some((file) => file.path === name)) await removeDownload(this.#target(name));
    }
    await this.fetch(wanted);
    return wanted;
  }

  /**
   * The files that hold the weights, after their index, which is downloaded, where they are many.
   *
   * @throws UserError when there are none, or the index names what is not there
   */
  async weightFiles(): Promise<readonly RemoteFile[]> {
    const first = weightsOrIndex(this.#files, this.name);
    if (!isIndex(first)) return [first];
    await this.fetch([first]);
    const names = await shardNames(this.#target(first.path));
    return [first, ...shardFiles({ index: first.path, names }, this.#files, this.name)];
  }

  /** Bytes of files that have yet to come. */
  async missingBytes(files: readonly RemoteFile[]): Promise<number> {
    let bytes = 0;
    for (const file of files) bytes += await missingBytes(this.#target(file.path), file);
    return bytes;
  }

  /** Downloads files, unless they are there, and checks them. */
  async fetch(files: readonly RemoteFile[]): Promise<void> {
    const { hub, signal, onBytes } = this.#downloading;
    for (const file of files) {
      this.#received += await downloadFile({
        ...{ hub, signal, file, repository: this.repository, target: this.#target(file.path) },
        onBytes: (bytes) => onBytes(file, bytes),
      });
    }
  }

  /** Removes whatever could be read as part of the checkpoint and is not one of these files or a part of one. */
  async keepOnly(files: readonly RemoteFile[]): Promise<void> {
    const kept = files.flatMap((file) => [file.path, path.basename(partPath(file.path, file))]);
    for (const entry of await readdir(this.folder)) {
      if (kept.includes(entry) || !isCheckpointFile(entry.replace(partEnding, ''))) continue;
      await rm(path.join(this.folder, entry), { force: true });
    }
  }

  /** Removes files and parts of them. */
  async remove(files: readonly RemoteFile[]): Promise<void> {
    for (const { path: name } of files) await removeDownload(this.#target(name));
  }

  #target(name: string): string {
    return path.join(this.folder, name);
  }
}
