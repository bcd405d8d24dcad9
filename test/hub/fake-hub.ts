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

/** Answers as the Hugging Face hub does for `FreedomIntelligence/MileBench`. */
export function hubAnswer({
  files,
  claimed = {},
  pageSize = 1000,
  deliveries = [deliver],
}: HubFiles): Answer {
  const repository = 'FreedomIntelligence/MileBench';
  let requests = 0;
  return (request, response, url) => {
    const json = (value: unknown, headers: Record<string, string> = {}): void => {
      response.writeHead(200, { 'content-type': 'application/json', ...headers });
      response.end(JSON.stringify(value));
    };
    if (url.pathname === `/api/datasets/${repository}/revision/main`)
      return json({ sha: commit, private: false });
    if (url.pathname === `/api/datasets/${repository}/tree/${commit}`) {
      const start = Number(url.searchParams.get('cursor') ?? 0);
      const entries = Object.entries(files).slice(start, start + pageSize);
      const more = start + pageSize < Object.keys(files).length;
      const next = `<http://${request.headers.host}${url.pathname}?recursive=true&cursor=${start + pageSize}>; rel="next"`;
      const list = entries.map(([path, content]) => {
        const oid = claimed[path] ?? createHash('sha256').update(content).digest('hex');
        return {
          type: 'file',
          path,
          oid: 'a'.repeat(40),
          size: content.length,
          lfs: { oid, size: content.length },
        };
      });
      return json(
        [{ type: 'directory', path: 'x', oid: 'b'.repeat(40), size: 0 }, ...list],
        more ? { link: next } : {},
      );
    }
    const prefix = `/datasets/${repository}/resolve/${commit}/`;
    const content = url.pathname.startsWith(prefix) ? files[url.pathname.slice(prefix.length)] : undefined;
    if (content === undefined) {
      response.writeHead(404, { 'x-error-code': 'EntryNotFound' });
      response.end();
      return;
    }
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const delivery = deliveries[Math.min(requests++, deliveries.length - 1)]!;
    delivery(content, from, response);
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
