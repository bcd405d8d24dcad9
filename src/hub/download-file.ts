import { readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../core/errors.js';
import { hashFile, startHash } from './checksum.js';
import type { HubConnection } from './hub-connection.js';
import { judgeStatus } from './hub-status.js';
import type { RemoteFile } from './list-files.js';
import { PartFile } from './part-file.js';
import { describeRepository, fileUrl, type PinnedRepository } from './repository.js';
import { withRetries } from './retry.js';
import { openTransfer, type Transfer } from './transfer.js';

/** Digits of the checksum in a part's name: parts of different content never mix. */
const partDigits = 12;

/** Gained since the last failure, it shows that the connection works; less may be a server that always breaks. */
const progressBytes = 2 ** 20;

/** Where the part of a download lies until it is whole. */
export function partPath(target: string, { checksum }: RemoteFile): string {
  return `${target}.${checksum.hex.slice(0, partDigits)}.part`;
}

/** Bytes of a file that have yet to be downloaded, if what lies at `target` or beside it is a beginning of it. */
export async function missingBytes(target: string, file: RemoteFile): Promise<number> {
  const found =
    (await stat(target).catch(() => null)) ?? (await stat(partPath(target, file)).catch(() => null));
  return Math.max(0, file.bytes - (found?.size ?? 0));
}

/** Removes what was downloaded to `target`, and parts of what it is or was at other commits. */
export async function removeDownload(target: string): Promise<void> {
  const folder = path.dirname(target);
  const stem = path.basename(target);
  for (const name of await readdir(folder)) {
    if (name === stem || (name.startsWith(`${stem}.`) && name.endsWith('.part'))) {
      await rm(path.join(folder, name), { force: true });
    }
  }
}

interface Download {
  readonly hub: HubConnection;
  readonly repository: PinnedRepository;
  readonly file: RemoteFile;
  /** Where the whole file goes. */
  readonly target: string;
  readonly signal: AbortSignal;
  /** Bytes that are on the disk now. */
  readonly onBytes: (bytes: number) => void;
}

/**
 * Brings a file of a repository to `target`, unless it is there, and checks its size and checksum. A download that was
 * cut short, by the network, a signal or the end of the process, continues where it stopped. Returns the bytes that
 * came over the network.
 *
 * @throws UserError when the hub refuses or cannot be reached, the disk is full, or the content is not what the hub's
 *   list says (then nothing is kept)
 */
export async function downloadFile(download: Download): Promise<number> {
  const { hub, repository, file, target, signal, onBytes } = download;
  if (await isWhole(target, file, signal)) {
    onBytes(file.bytes);
    return 0;
  }
  const partName = partPath(target, file);
  const { checksum, bytes: wholeBytes } = file;
  const part = await PartFile.open(partName, { checksum, wholeBytes, signal });
  let received = 0;
  try {
    let furthest = part.bytes;
    const subject = `${file.path} of ${describeRepository(repository)}`;
    onBytes(part.bytes);
    await withRetries<null>(hub, { subject, signal }, async () => {
      if (part.bytes === wholeBytes) return { state: 'done', value: null };
      const outcome = await attempt(part, { ...download, subject });
      received += outcome.received;
      if (part.bytes === wholeBytes) return { state: 'done', value: null };
      const progressed = part.bytes >= furthest + progressBytes;
      furthest = Math.max(furthest, part.bytes);
      return { state: 'again', why: outcome.why, waitMs: outcome.waitMs, progressed };
    });
    if (part.digest() !== checksum.hex) throw wrongContent(subject, `its checksum is not ${checksum.hex}`);
    await part.sync();
  } catch (error) {
    if (error instanceof WrongContent) await rm(partName, { force: true });
    throw error;
  } finally {
    await part.close();
  }
  await rename(partName, target);
  return received;
}

/** Content that must not be kept. */
class WrongContent extends UserError {}

function wrongContent(where: string, what: string): WrongContent {
  const fix = 'nothing of it was kept; run the command again, and check --endpoint if it repeats';
  return new WrongContent({ what: `what came is not the file: ${what}`, where, fix });
}

async function isWhole(
  target: string,
  { bytes, checksum }: RemoteFile,
  signal: AbortSignal,
): Promise<boolean> {
  const found = await stat(target).catch(() => null);
  if (found === null || !found.isFile() || found.size !== bytes) return false;
  const hash = startHash(checksum, bytes);
  await hashFile(hash, target, { bytes, signal });
  return hash.digest('hex') === checksum.hex;
}

interface Outcome {
  readonly received: number;
  readonly why: string;
  readonly waitMs: number | null;
}

/** One request for what the part lacks. Returns why it ended, whether or not everything came. */
async function attempt(part: PartFile, download: Download & { readonly subject: string }): Promise<Outcome> {
  const { hub, repository, file, subject, signal } = download;
  const range: Record<string, string> = part.bytes === 0 ? {} : { range: `bytes=${part.bytes}-` };
  const url = fileUrl(hub.endpoint, repository, file.path);
  const reply = await openTransfer(hub, { url, headers: range, signal });
  if (reply.state === 'broken') return { received: 0, why: reply.why, waitMs: null };
  const { transfer } = reply;
  try {
    const { status, headers } = transfer;
    // The answer to a range beyond the end; the part cannot be a beginning of this file.
    if (status === 416) {
      await part.restart();
      return { received: 0, why: 'the server does not know this range', waitMs: null };
    }
    const verdict = judgeStatus({ status, headers, subject, hub });
    if (verdict.kind === 'refused') throw new UserError(verdict.problem);
    if (verdict.kind === 'again') return { received: 0, ...verdict };
    if (!continues(transfer, part.bytes, file.bytes)) {
      await part.restart();
      if (status === 206) return { received: 0, why: 'the server sent another range', waitMs: null };
    }
    return await receive(part, transfer, download);
  } finally {
    transfer.close();
  }
}

/** Whether the body starts where the part ends. A server that ignores ranges answers 200 with the whole file. */
function continues({ status, headers }: Transfer, from: number, wholeBytes: number): boolean {
  if (status !== 206) return from === 0;
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get('content-range') ?? '');
  const [, start, total] = range ?? [];
  return Number(start) === from && (total === '*' || Number(total) === wholeBytes);
}

async function receive(
  part: PartFile,
  transfer: Transfer,
  { file, subject, onBytes }: Download & { readonly subject: string },
): Promise<Outcome> {
  let received = 0;
  for (;;) {
    const chunk = await transfer.read();
    if (chunk.state === 'broken') return { received, why: chunk.why, waitMs: null };
    if (chunk.state === 'end') return { received, why: 'the connection closed early', waitMs: null };
    if (part.bytes + chunk.bytes.length > file.bytes) {
      throw wrongContent(subject, `it has more than ${file.bytes} bytes`);
    }
    await part.append(chunk.bytes);
    received += chunk.bytes.length;
    onBytes(part.bytes);
  }
}
