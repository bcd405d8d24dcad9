import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { type HubConnection, openHub, type RetryNotice } from '../../src/hub/hub-connection.js';

export const commit = 'c'.repeat(40);

/** What somebody asked a server for. */
export interface Asked {
  readonly path: string;
  readonly range: string | null;
  readonly authorization: string | null;
}

export type Answer = (request: IncomingMessage, response: ServerResponse, url: URL) => void;

/** A loopback server that remembers what it was asked, gone after the test. */
export async function serve(answer: Answer): Promise<{ readonly origin: string; readonly asked: Asked[] }> {
  const asked: Asked[] = [];
  const server: Server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const { range = null, authorization = null } = request.headers;
    asked.push({ path: url.pathname, range, authorization });
    answer(request, response, url);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

/** How files are delivered, request by request. */
export type Delivery = (content: Buffer, from: number, response: ServerResponse) => void;

/** Answers a range as servers do. */
export const deliver: Delivery = (content, from, response) => {
  const part = content.subarray(from);
  const headers = { 'content-length': String(part.length) };
  if (from === 0) response.writeHead(200, headers);
  else {
    const range = `bytes ${from}-${content.length - 1}/${content.length}`;
    response.writeHead(206, { ...headers, 'content-range': range });
  }
  response.end(part);
};

/** Sends `bytes` bytes of what was asked for and cuts the connection. */
export function deliverAndCut(bytes: number): Delivery {
  return (content, from, response) => {
    const part = content.subarray(from);
    const range = `bytes ${from}-${content.length - 1}/${content.length}`;
    const status = from === 0 ? 200 : 206;
    response.writeHead(status, {
      'content-length': String(part.length),
      ...(from === 0 ? {} : { 'content-range': range }),
    });
    response.write(part.subarray(0, bytes), () => response.destroy());
  };
}

interface HubFiles {
  readonly files: Readonly<Record<string, Buffer>>;
  /** Checksums the list gives instead of the true ones. */
  readonly claimed?: Readonly<Record<string, string>>;
  /** Files on each page of the list. */
  readonly pageSize?: number;
  /** One for each request of a file, the last one for all that follow. */
  readonly deliveries?: readonly Delivery[];
}

/** A repository of the hub, `main` of which is at a commit. */
export interface HubRepository extends HubFiles {
  readonly type: 'model' | 'dataset';
  readonly id: string;
  readonly commit?: string;
}

/** Answers as the Hugging Face hub does for `FreedomIntelligence/MileBench`. */
export function hubAnswer(files: HubFiles): Answer {
  return hubOf([{ ...files, type: 'dataset', id: 'FreedomIntelligence/MileBench' }]);
}

/** Answers as the Hugging Face hub does that has these repositories. */
export function hubOf(repositories: readonly HubRepository[]): Answer {
  const answers = repositories.map(repositoryAnswer);
  return (request, response, url) => {
    if (answers.some((answer) => answer(request, response, url))) return;
    response.writeHead(404, { 'x-error-code': 'EntryNotFound' });
    response.end();
  };
}

/** What the hub keeps outside of git. */
const large = /\.(?:gz|safetensors|bin|h5|model)$/;

function checksumFields(content: Buffer, claimed: string | undefined, isLarge: boolean): object {
  const gitName = createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
  if (!isLarge) return { oid: claimed ?? gitName };
  const oid = claimed ?? createHash('sha256').update(content).digest('hex');
  return { oid: gitName, lfs: { oid, size: content.length } };
}

/** Answers what concerns one repository; `false` for everything else. */
function repositoryAnswer({
  type,
  id,
  commit: head = commit,
  files,
  claimed = {},
  pageSize = 1000,
  deliveries = [deliver],
}: HubRepository): (...asked: Parameters<Answer>) => boolean {
  let requests = 0;
  const api = `/api/${type}s/${id}`;
  const prefix = `${type === 'model' ? '' : '/datasets'}/${id}/resolve/${head}/`;
  return (request, response, url) => {
    const json = (value: unknown, headers: Record<string, string> = {}): true => {
      response.writeHead(200, { 'content-type': 'application/json', ...headers });
      response.end(JSON.stringify(value));
      return true;
    };
    if ([`${api}/revision/main`, `${api}/revision/${head}`].includes(url.pathname)) {
      return json({ sha: head, private: false });
    }
    if (url.pathname === `${api}/tree/${head}`) {
      const start = Number(url.searchParams.get('cursor') ?? 0);
      const entries = Object.entries(files).slice(start, start + pageSize);
      const more = start + pageSize < Object.keys(files).length;
      const next = `<http://${request.headers.host}${url.pathname}?recursive=true&cursor=${start + pageSize}>; rel="next"`;
      const list = entries.map(([path, content]) => {
        const checksum = checksumFields(content, claimed[path], large.test(path));
        return { type: 'file', path, size: content.length, ...checksum };
      });
      return json(
        [{ type: 'directory', path: 'x', oid: 'b'.repeat(40), size: 0 }, ...list],
        more ? { link: next } : {},
      );
    }
    const content = url.pathname.startsWith(prefix) ? files[url.pathname.slice(prefix.length)] : undefined;
    if (content === undefined) return false;
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const delivery = deliveries[Math.min(requests++, deliveries.length - 1)]!;
    delivery(content, from, response);
    return true;
  };
}

/** A connection that does not wait between attempts, and what it would have waited for. */
export function connect(
  endpoint: string,
  options: Partial<HubConnection> = {},
): { readonly hub: HubConnection; readonly retries: RetryNotice[] } {
  const retries: RetryNotice[] = [];
  const hub = openHub({
    endpoint,
    wait: async (_ms, signal) => signal.throwIfAborted(),
    onRetry: (notice) => retries.push(notice),
    ...options,
  });
  return { hub, retries };
}
