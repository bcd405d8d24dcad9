import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip, type Gunzip } from 'node:zlib';
import * as tar from 'tar-stream';
import { invariant, messageOf, UserError } from '../core/errors.js';
import { type ArchiveLimits, archiveLimits, unpackedBound } from './archive-limits.js';
import { asDiskProblem } from './disk-space.js';
import { MemberNames } from './member-names.js';
import { readMemberPath } from './member-path.js';

/** What was written of one top folder. */
export interface ExtractedFolder {
  readonly files: number;
  readonly bytes: number;
}

export interface Extraction {
  /** Path of a `.tar.gz`. */
  readonly archive: string;
  /** Directory that only this extraction uses: what is there is removed before, and after a failure. */
  readonly into: string;
  /** Where a member goes below `into`; `null` = it is passed over. May throw to refuse the archive. */
  readonly place: (segments: readonly string[]) => readonly string[] | null;
  readonly signal: AbortSignal;
  readonly limits?: ArchiveLimits;
  /** Creates a file that must not be there yet. */
  readonly createFile?: (file: string) => Promise<FileHandle>;
}

/** A tar archive ends with two blocks of zeros (POSIX.1-2017, pax). */
const endMarkBytes = 1024;

/** Length of a member's name in messages. */
const shownNameLength = 120;

/**
 * Unpacks the regular files of a `.tar.gz` in one pass, without ever holding a file in memory. Returns what was written
 * by top folder.
 *
 * @throws UserError naming archive and member for anything but plain files and folders below `into`: paths that lead
 *   elsewhere, links, devices, pipes, sparse files, repeated names, more members or bytes than `limits`, damaged or
 *   truncated data, bytes behind the end; also when the disk is full. Nothing is left in `into` then, nor when `signal`
 *   is aborted.
 */
export async function extractArchive(extraction: Extraction): Promise<Map<string, ExtractedFolder>> {
  const { into } = extraction;
  await rm(into, { recursive: true, force: true });
  await mkdir(into, { recursive: true });
  try {
    return await extract(extraction);
  } catch (error) {
    await rm(into, { recursive: true, force: true });
    extraction.signal.throwIfAborted();
    throw asDiskProblem(error, into);
  }
}

async function extract(extraction: Extraction): Promise<Map<string, ExtractedFolder>> {
  const { archive, signal, limits = archiveLimits } = extraction;
  const { size: packedBytes } = await stat(archive);
  const gunzip = createGunzip();
  const members = tar.extract();
  const meter = measure(archive, unpackedBound(limits, packedBytes));
  const fed = pipeline(createReadStream(archive), gunzip, meter, members, { signal }).then(
    () => null,
    (error: unknown) => ({ error }),
  );
  const written = await writeMembers(members, { ...extraction, limits }).then(
    (folders) => ({ state: 'written' as const, folders }),
    (error: unknown) => ({ state: 'failed' as const, error }),
  );
  members.destroy();
  const failure = await fed;
  if (written.state === 'failed' && isOurs(written.error)) throw written.error;
  if (endsEarly(gunzip, packedBytes))
    throw damaged(archive, 'there are bytes behind the end of the compressed data');
  if (failure !== null)
    throw isOurs(failure.error) ? failure.error : damaged(archive, messageOf(failure.error));
  if (written.state === 'failed') throw damaged(archive, messageOf(written.error));
  return written.folders;
}

/** Errors that say by themselves what is wrong; the others are a decoder's and mean that the archive is damaged. */
function isOurs(error: unknown): boolean {
  return error instanceof UserError || (error instanceof Error && 'syscall' in error);
}

/** Whether the compressed data ended before the file did. Node.js passes over what follows. */
function endsEarly(gunzip: Gunzip, packedBytes: number): boolean {
  return gunzip.readableEnded && gunzip.bytesWritten < packedBytes;
}

/** Passes the unpacked bytes on, bounds them, and checks that they end as an archive does. */
function measure(archive: string, mostBytes: number) {
  return async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let bytes = 0;
    let zeros = 0;
    for await (const chunk of chunks) {
      bytes += chunk.length;
      if (bytes > mostBytes) throw damaged(archive, `it unpacks to more than ${mostBytes} bytes`);
      const own = trailingZeros(chunk);
      zeros = own === chunk.length ? zeros + own : own;
      yield chunk;
    }
    if (zeros < endMarkBytes) throw damaged(archive, 'it stops before its end mark');
  };
}

function trailingZeros(bytes: Uint8Array): number {
  let index = bytes.length;
  while (index > 0 && bytes[index - 1] === 0) index -= 1;
  return bytes.length - index;
}

async function writeMembers(
  members: tar.Extract,
  { archive, into, place, limits, createFile = createNew }: Extraction & { readonly limits: ArchiveLimits },
): Promise<Map<string, ExtractedFolder>> {
  const folders = new Map<string, ExtractedFolder>();
  const names = new MemberNames();
  const made = new Set<string>();
  let count = 0;
  for await (const entry of members) {
    const { header } = entry;
    const refuse = (why: string): UserError => refusal(archive, header.name, why);
    count += 1;
    if (count > limits.mostMembers)
      throw refuse(`it is beyond the ${limits.mostMembers} members that are read`);
    const kind = memberKind(header);
    if (kind.kind === 'refused') throw refuse(kind.why);
    const found = readMemberPath(header.name);
    if (found.kind === 'refused') throw refuse(found.why);
    const { size } = header;
    if (kind.kind === 'folder' && size > 0) throw refuse('it is a folder with content');
    if (size > limits.mostMemberBytes) throw refuse(`it has more than ${limits.mostMemberBytes} bytes`);
    const segments = place(found.segments);
    const [top] = segments ?? [];
    if (segments === null || top === undefined) {
      entry.resume();
      continue;
    }
    const taken = names.claim(segments, kind.kind);
    if (taken !== null) throw refuse(taken);
    const file = path.join(into, ...segments);
    invariant(file.startsWith(into + path.sep), 'a member is written below the directory of its extraction');
    const directory = kind.kind === 'folder' ? file : path.dirname(file);
    if (!made.has(directory)) await mkdir(directory, { recursive: true });
    made.add(directory);
    if (kind.kind === 'folder') {
      entry.resume();
      continue;
    }
    await writeFile(entry, await createFile(file));
    const { files, bytes } = folders.get(top) ?? { files: 0, bytes: 0 };
    folders.set(top, { files: files + 1, bytes: bytes + size });
  }
  return folders;
}

function createNew(file: string): Promise<FileHandle> {
  return open(file, 'wx');
}

async function writeFile(content: AsyncIterable<unknown>, handle: FileHandle): Promise<void> {
  try {
    for await (const chunk of content) {
      invariant(chunk instanceof Uint8Array, 'the content of a member is bytes');
      await handle.appendFile(chunk);
    }
  } finally {
    await handle.close();
  }
}

type MemberKind =
  | { readonly kind: 'file' }
  | { readonly kind: 'folder' }
  | { readonly kind: 'refused'; readonly why: string };

function memberKind({ type, pax }: tar.Header): MemberKind {
  if (type === 'directory') return { kind: 'folder' };
  if (type !== 'file') return { kind: 'refused', why: `it is a ${type ?? 'member of unknown type'}` };
  // GNU tar writes sparse files in the pax format as plain files with a map in front of their content.
  const isSparse = Object.keys(pax ?? {}).some((key) => key.startsWith('GNU.sparse.'));
  return isSparse ? { kind: 'refused', why: 'it is a sparse file' } : { kind: 'file' };
}

const remedy = 'nothing of it was unpacked; check --endpoint and --revision';

function refusal(archive: string, member: string, why: string): UserError {
  const shown = member.length > shownNameLength ? `${member.slice(0, shownNameLength)}…` : member;
  const where = `${path.basename(archive)}, member ${JSON.stringify(shown)}`;
  return new UserError({ what: `this archive is not trusted: ${why}`, where, fix: remedy });
}

function damaged(archive: string, why: string): UserError {
  return new UserError({
    what: `this archive is damaged: ${why}`,
    where: path.basename(archive),
    fix: remedy,
  });
}
