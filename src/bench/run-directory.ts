import { type FileHandle, mkdir, open, readFile } from 'node:fs/promises';
import path from 'node:path';
import { lockDirectory } from '../core/directory-lock.js';
import { messageOf, UserError } from '../core/errors.js';
import { writeAtomically } from '../core/write-atomically.js';
import { type LogKind, readRecordLog } from './record-log.js';
import {
  differingFields,
  endManifest,
  type RunDescription,
  type RunManifest,
  runManifestSchema,
  startManifest,
} from './run-manifest.js';

export const manifestName = 'manifest.json';
export const failuresName = 'failures.jsonl';

/** A manifest lists names and counts. */
const mostManifestBytes = 4 * 2 ** 20;

/** A sample without records, and why. */
export interface SampleFailure {
  readonly task: string;
  readonly sampleId: string;
  readonly message: string;
}

const otherDirectory = 'choose another --out or delete the directory';

/**
 * The manifest of a run directory, `null` when there is none.
 * Throws a `UserError` for one that is damaged or of another version of lookm.
 */
export async function readManifest(file: string): Promise<RunManifest | null> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw new UserError({ what: `cannot be read (${messageOf(error)})`, where: file, fix: otherDirectory });
  });
  if (text === null) return null;
  if (text.length > mostManifestBytes) {
    throw new UserError({ what: 'too long for a manifest', where: file, fix: otherDirectory });
  }
  let reason: string;
  try {
    const parsed = runManifestSchema.safeParse(JSON.parse(text));
    if (parsed.success) return parsed.data;
    reason = `field ${parsed.error.issues[0]?.path.join('.') ?? ''} does not fit`;
  } catch (error) {
    reason = messageOf(error);
  }
  throw new UserError({
    what: `not a manifest of this version of lookm (${reason})`,
    where: file,
    fix: otherDirectory,
  });
}

/**
 * The directory of a run. It is the state: the log of its records only grows, a line a record, and whatever is in it is
 * never computed again. `failures.jsonl` holds the failures of the last command, which the next one tries again.
 */
export class RunDirectory<R extends { readonly key: string }> {
  readonly #directory: string;
  readonly #log: FileHandle;
  readonly #failures: FileHandle;
  readonly #release: () => Promise<void>;
  readonly #records: Map<string, R>;
  readonly #manifest: RunManifest;
  /** Bytes of a line that a crash had torn and that was cut off when the directory was opened. */
  readonly tornBytes: number;

  private constructor(opened: {
    readonly directory: string;
    readonly log: FileHandle;
    readonly failures: FileHandle;
    readonly release: () => Promise<void>;
    readonly records: Map<string, R>;
    readonly tornBytes: number;
    readonly manifest: RunManifest;
  }) {
    this.#directory = opened.directory;
    this.#log = opened.log;
    this.#failures = opened.failures;
    this.#release = opened.release;
    this.#records = opened.records;
    this.#manifest = opened.manifest;
    this.tornBytes = opened.tornBytes;
  }

  /**
   * Opens or creates the directory for one command and locks it until `close`.
   *
   * @param kind of its records
   * Throws a `UserError` when another process holds it, when it belongs to a run with another identity (the message
   * names the fields), and when a file in it is damaged.
   */
  static async open<R extends { readonly key: string }>(
    directory: string,
    description: RunDescription,
    kind: LogKind<R>,
    now: Date,
  ): Promise<RunDirectory<R>> {
    await mkdir(directory, { recursive: true }).catch((error: unknown) => {
      throw new UserError({
        what: `cannot be created (${messageOf(error)})`,
        where: directory,
        fix: 'choose another --out',
      });
    });
    const release = await lockDirectory(directory);
    try {
      const before = await readManifest(path.join(directory, manifestName));
      const differing = before === null ? [] : differingFields(before.identity, description.identity);
      if (differing.length > 0) {
        const what = `holds a run with another ${differing.join(', ')}`;
        throw new UserError({ what, where: directory, fix: otherDirectory });
      }
      const { records, tornBytes } = await readRecordLog(directory, kind);
      if (before === null && records.size > 0) {
        throw new UserError({
          what: `holds records without ${manifestName}`,
          where: directory,
          fix: otherDirectory,
        });
      }
      const manifest = startManifest(description, before, now);
      await writeAtomically(path.join(directory, manifestName), text(manifest));
      const log = await open(path.join(directory, kind.file), 'a');
      const failures = await open(path.join(directory, failuresName), 'w');
      return new RunDirectory({ directory, log, failures, release, records, tornBytes, manifest });
    } catch (error) {
      await release();
      throw error;
    }
  }

  /** Every record of the run, those of cells that no current plan asks for included. */
  get records(): ReadonlyMap<string, R> {
    return this.#records;
  }

  /** Writes the records of one sample together; they are on the disk when the promise resolves. */
  async append(records: readonly R[]): Promise<void> {
    await this.#log.appendFile(records.map((record) => `${JSON.stringify(record)}\n`).join(''));
    await this.#log.sync();
    for (const record of records) this.#records.set(record.key, record);
  }

  async fail(failure: SampleFailure): Promise<void> {
    await this.#failures.appendFile(`${JSON.stringify(failure)}\n`);
  }

  /** Writes what the command has done into the manifest. */
  async finish(outcome: Parameters<typeof endManifest>[1], now: Date): Promise<void> {
    const manifest = endManifest(this.#manifest, outcome, now);
    await writeAtomically(path.join(this.#directory, manifestName), text(manifest));
  }

  /** Closes the files and gives the lock back. */
  async close(): Promise<void> {
    try {
      await this.#log.close();
      await this.#failures.close();
    } finally {
      await this.#release();
    }
  }
}

function text(manifest: RunManifest): string {
  return `${JSON.stringify(manifest, null, 2)}\n`;
}
