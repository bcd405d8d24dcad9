import { messageOf, UserError } from '../core/errors.js';
import type { HubConnection } from './hub-connection.js';

/** The next piece of a body. */
export type Chunk =
  | { readonly state: 'bytes'; readonly bytes: Uint8Array }
  | { readonly state: 'end' }
  | { readonly state: 'broken'; readonly why: string };

/** An answer whose body has yet to be read. */
export interface Transfer {
  readonly status: number;
  readonly headers: Headers;
  read(): Promise<Chunk>;
  /** Drops what has not been read. */
  close(): void;
}

/** An answer, or how the connection was lost. */
export type Reply =
  | { readonly state: 'answered'; readonly transfer: Transfer }
  | { readonly state: 'broken'; readonly why: string };

/** The hub needs one or two: a renamed repository, then the network that delivers the file. */
const mostRedirects = 5;

const redirects: readonly number[] = [301, 302, 303, 307, 308];

/**
 * Asks for an address and follows redirects. The token goes to the endpoint's own origin only, which is why redirects
 * are followed here and not by `fetch`.
 *
 * @throws UserError for redirects that go round in circles, to no web address or from https to http; the reason of
 *   `signal` once that is aborted
 */
export async function openTransfer(
  hub: HubConnection,
  {
    url,
    headers = {},
    signal,
  }: {
    readonly url: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly signal: AbortSignal;
  },
): Promise<Reply> {
  const stopped = new AbortController();
  const either = AbortSignal.any([signal, stopped.signal]);
  let stalled = false;
  const untilStall = async <T>(work: Promise<T>): Promise<T> => {
    const timer = setTimeout(() => {
      stalled = true;
      stopped.abort();
    }, hub.stallMs);
    try {
      return await work;
    } finally {
      clearTimeout(timer);
    }
  };
  const lost = (error: unknown): { readonly state: 'broken'; readonly why: string } => {
    signal.throwIfAborted();
    const why = stalled ? `no data for ${hub.stallMs / 1000} s` : describeLoss(error);
    return { state: 'broken', why };
  };
  let at = new URL(url);
  for (let hops = 0; hops <= mostRedirects; hops += 1) {
    let response: Response;
    try {
      const sent = { 'accept-encoding': 'identity', ...authorisation(hub, at), ...headers };
      response = await untilStall(hub.fetch(at, { headers: sent, redirect: 'manual', signal: either }));
    } catch (error) {
      return lost(error);
    }
    const location = response.headers.get('location');
    if (!redirects.includes(response.status) || location === null) {
      const reader = response.body?.getReader();
      const read = async (): Promise<Chunk> => {
        try {
          const next = await untilStall(reader?.read() ?? Promise.resolve({ done: true, value: undefined }));
          return next.value === undefined ? { state: 'end' } : { state: 'bytes', bytes: next.value };
        } catch (error) {
          return lost(error);
        }
      };
      const { status, headers: received } = response;
      const transfer = { status, headers: received, read, close: () => stopped.abort() };
      return { state: 'answered', transfer };
    }
    await response.body?.cancel().catch(() => {});
    at = nextAddress(location, at);
  }
  throw badRedirect(url, `redirects more than ${mostRedirects} times`);
}

function authorisation({ endpoint, token }: HubConnection, url: URL): Record<string, string> {
  const isHome = url.origin === new URL(endpoint).origin;
  return isHome && token !== null ? { authorization: `Bearer ${token}` } : {};
}

function nextAddress(location: string, from: URL): URL {
  const next = URL.canParse(location, from.href) ? new URL(location, from.href) : null;
  const isWeb = next?.protocol === 'https:' || next?.protocol === 'http:';
  if (next === null || !isWeb) throw badRedirect(from.href, 'redirects to something that is no web address');
  if (from.protocol === 'https:' && next.protocol === 'http:') {
    throw badRedirect(from.href, 'redirects from https to http');
  }
  return next;
}

function badRedirect(url: string, what: string): UserError {
  return new UserError({ what, where: url.replace(/\?.*/s, ''), fix: 'check --endpoint' });
}

/** `fetch` says only that it failed; its cause says why. */
function describeLoss(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : null;
  const message = messageOf(cause);
  if (code === null || message.includes(code)) return message;
  return message === '' ? code : `${message} (${code})`;
}
