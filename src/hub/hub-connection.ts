import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../core/errors.js';

/** A failed attempt that is about to be repeated. */
export interface RetryNotice {
  readonly subject: string;
  readonly why: string;
  readonly waitMs: number;
}

/** A hub, and what talking to it needs of the world outside: tests hand in their own. */
export interface HubConnection {
  /** Without a slash at its end. */
  readonly endpoint: string;
  /** Sent to the endpoint's own origin and to nobody else. */
  readonly token: string | null;
  readonly fetch: typeof globalThis.fetch;
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Silence after which a connection counts as lost, in milliseconds. */
  readonly stallMs: number;
  readonly onRetry: (notice: RetryNotice) => void;
}

export const defaultEndpoint = 'https://huggingface.co';

/** Content delivery networks pause for seconds while they fill their caches, not for a minute. */
const stallMs = 60_000;

/** What an HTTP header may hold. */
const tokenForm = /^[\x21-\x7e]+$/;

/**
 * A connection to a hub; nothing is sent yet.
 *
 * @throws UserError for an endpoint that is no address and a token that cannot be sent
 */
export function openHub({
  endpoint = defaultEndpoint,
  token = null,
  ...edges
}: {
  readonly endpoint?: string | undefined;
  readonly token?: string | null | undefined;
} & Partial<Omit<HubConnection, 'endpoint' | 'token'>>): HubConnection {
  if (token !== null && !tokenForm.test(token)) {
    const what = 'the token has characters that no token has';
    throw new UserError({ what, where: 'HF_TOKEN', fix: 'copy it again, without spaces' });
  }
  return {
    endpoint: parseEndpoint(endpoint),
    token,
    fetch: globalThis.fetch,
    wait: async (ms, signal) => {
      await sleep(ms, undefined, { signal });
    },
    stallMs,
    onRetry: () => {},
    ...edges,
  };
}

function parseEndpoint(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isWeb = url?.protocol === 'https:' || url?.protocol === 'http:';
  if (url === null || !isWeb || url.username !== '' || url.search !== '' || url.hash !== '') {
    const what = `${JSON.stringify(text)} is not the address of a hub`;
    throw new UserError({ what, where: '--endpoint', fix: `give one like ${defaultEndpoint}` });
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}
