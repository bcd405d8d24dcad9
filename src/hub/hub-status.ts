import type { Problem } from '../core/errors.js';
import type { HubConnection } from './hub-connection.js';

/** What to do about the status of an answer. */
export type Verdict =
  | { readonly kind: 'fine' }
  | { readonly kind: 'again'; readonly why: string; readonly waitMs: number | null }
  | { readonly kind: 'refused'; readonly problem: Problem };

const transient: readonly number[] = [408, 429, 500, 502, 503, 504];

/** Judges a status. `subject` is what was asked for, as messages name it. */
export function judgeStatus({
  status,
  headers,
  subject,
  hub,
}: {
  readonly status: number;
  readonly headers: Headers;
  readonly subject: string;
  readonly hub: HubConnection;
}): Verdict {
  if (status >= 200 && status < 300) return { kind: 'fine' };
  if (transient.includes(status)) {
    const why = status === 429 ? 'the hub asks for patience (HTTP 429)' : `the hub answers HTTP ${status}`;
    return { kind: 'again', why, waitMs: retryAfterMs(headers) };
  }
  return { kind: 'refused', problem: { where: subject, ...refusal(status, headers, hub) } };
}

function refusal(status: number, headers: Headers, { token, endpoint }: HubConnection): Problem {
  const code = headers.get('x-error-code');
  if (code === 'GatedRepo' || status === 403) {
    const what = `access is not granted (HTTP ${status})`;
    const terms = `accept its terms on its page at ${endpoint}`;
    return { what, fix: `${terms}, and set HF_TOKEN to a token that may read it` };
  }
  if (status === 401) {
    // The hub answers 401, not 404, to strangers who ask for what does not exist.
    return token === null
      ? { what: 'the hub wants a token (HTTP 401)', fix: 'set HF_TOKEN, and check the name if it is public' }
      : { what: 'the hub refuses HF_TOKEN (HTTP 401)', fix: 'set a valid token or unset it' };
  }
  if (status === 404) {
    const what = `${code === 'RevisionNotFound' ? 'no such revision' : 'not found'} at ${endpoint} (HTTP 404)`;
    return { what, fix: 'check --revision and --endpoint' };
  }
  return { what: `the hub answers HTTP ${status}`, fix: `check --endpoint (${endpoint})` };
}

/** `Retry-After` in seconds, or as a date, which is compared with the server's own clock. */
function retryAfterMs(headers: Headers): number | null {
  const value = headers.get('retry-after');
  if (value === null) return null;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const wait = Date.parse(value) - Date.parse(headers.get('date') ?? '');
  return Number.isNaN(wait) ? null : Math.max(0, wait);
}
