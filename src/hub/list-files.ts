import { z } from 'zod';
import { messageOf, UserError } from '../core/errors.js';
import type { Checksum } from './checksum.js';
import type { HubConnection } from './hub-connection.js';
import { judgeStatus } from './hub-status.js';
import {
  describeRepository,
  type PinnedRepository,
  type RepositoryRef,
  revisionUrl,
  treeUrl,
} from './repository.js';
import { withRetries } from './retry.js';
import { openTransfer, type Transfer } from './transfer.js';

/** A file of a repository. */
export interface RemoteFile {
  readonly path: string;
  readonly bytes: number;
  readonly checksum: Checksum;
}

/** A page has a thousand entries of some 300 bytes. */
const mostPageBytes = 16 * 2 ** 20;

/** A million files, ten times the most that the hub recommends. */
const mostPages = 1000;

const revisionSchema = z.object({ sha: z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/) });

const sizeSchema = z.int().min(0);

/** The hub adds fields as it grows, so unknown ones are let through. */
const treeSchema = z.array(
  z.object({
    type: z.string(),
    path: z.string(),
    oid: z.string().regex(/^[0-9a-f]{40}$/),
    size: sizeSchema,
    lfs: z.object({ oid: z.string().regex(/^[0-9a-f]{64}$/), size: sizeSchema }).optional(),
  }),
);

/**
 * The commit that a revision stands for.
 *
 * @throws UserError when the hub cannot be reached, refuses, or answers with something else
 */
export async function pinRevision(
  hub: HubConnection,
  { repository, signal }: { readonly repository: RepositoryRef; readonly signal: AbortSignal },
): Promise<PinnedRepository> {
  const subject = `${describeRepository(repository)}, revision ${repository.revision}`;
  const url = revisionUrl(hub.endpoint, repository);
  const { value } = await getJson(hub, { url, schema: revisionSchema, subject, signal });
  return { ...repository, commit: value.sha };
}

/**
 * All files of a repository, in the hub's order.
 *
 * @throws UserError when the hub cannot be reached, refuses, or answers with something else
 */
export async function listFiles(
  hub: HubConnection,
  { repository, signal }: { readonly repository: PinnedRepository; readonly signal: AbortSignal },
): Promise<RemoteFile[]> {
  const subject = `files of ${describeRepository(repository)}`;
  const files: RemoteFile[] = [];
  let url: string | null = treeUrl(hub.endpoint, repository);
  for (let page = 0; url !== null; page += 1) {
    if (page === mostPages) throw unexpected(subject, `the list has more than ${mostPages} pages`);
    const { value, next }: Page<typeof treeSchema> = await getJson(hub, {
      url,
      schema: treeSchema,
      subject,
      signal,
    });
    for (const { type, path, size, oid, lfs } of value) {
      if (type !== 'file') continue;
      const checksum: Checksum =
        lfs === undefined ? { algorithm: 'git-blob', hex: oid } : { algorithm: 'sha256', hex: lfs.oid };
      files.push({ path, bytes: lfs?.size ?? size, checksum });
    }
    url = next;
  }
  return files;
}

interface Page<T extends z.ZodType> {
  readonly value: z.output<T>;
  readonly next: string | null;
}

async function getJson<T extends z.ZodType>(
  hub: HubConnection,
  {
    url,
    schema,
    subject,
    signal,
  }: { readonly url: string; readonly schema: T; readonly subject: string; readonly signal: AbortSignal },
): Promise<Page<T>> {
  return withRetries<Page<T>>(hub, { subject, signal }, async () => {
    const reply = await openTransfer(hub, { url, signal });
    if (reply.state === 'broken') return { state: 'again', why: reply.why, waitMs: null, progressed: false };
    const { transfer } = reply;
    try {
      const { status, headers } = transfer;
      const verdict = judgeStatus({ status, headers, subject, hub });
      if (verdict.kind === 'refused') throw new UserError(verdict.problem);
      if (verdict.kind === 'again') return { state: 'again', ...verdict, progressed: false };
      const body = await readText(transfer, subject);
      if (body.state === 'broken') return { state: 'again', why: body.why, waitMs: null, progressed: false };
      const value = parsePage(body.text, schema, subject);
      return { state: 'done', value: { value, next: nextPage(headers, url) } };
    } finally {
      transfer.close();
    }
  });
}

type Text =
  | { readonly state: 'whole'; readonly text: string }
  | { readonly state: 'broken'; readonly why: string };

async function readText(transfer: Transfer, subject: string): Promise<Text> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for (;;) {
    const chunk = await transfer.read();
    if (chunk.state === 'broken') return chunk;
    if (chunk.state === 'end') return { state: 'whole', text: Buffer.concat(pieces).toString('utf8') };
    bytes += chunk.bytes.length;
    if (bytes > mostPageBytes) throw unexpected(subject, `the answer has more than ${mostPageBytes} bytes`);
    pieces.push(chunk.bytes);
  }
}

function parsePage<T extends z.ZodType>(text: string, schema: T, subject: string): z.output<T> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw unexpected(subject, `the answer is not JSON (${messageOf(error)})`);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [first] = parsed.error.issues;
  const field = first?.path.map(String).join('.') ?? '';
  throw unexpected(
    subject,
    `the answer is not the hub's: ${field === '' ? '' : `${field}: `}${first?.message}`,
  );
}

function unexpected(subject: string, what: string): UserError {
  return new UserError({ what, where: subject, fix: 'check --endpoint' });
}

/** `Link: <https://…>; rel="next"` */
function nextPage(headers: Headers, from: string): string | null {
  const next = /<([^>]+)>\s*;\s*rel="?next"?/.exec(headers.get('link') ?? '')?.[1];
  return next !== undefined && URL.canParse(next, from) ? new URL(next, from).href : null;
}
