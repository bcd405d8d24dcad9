import { UserError } from '../core/errors.js';
import type { HubConnection } from './hub-connection.js';

/** How one attempt ended. */
export type Attempt<T> =
  | { readonly state: 'done'; readonly value: T }
  | {
      readonly state: 'again';
      readonly why: string;
      /** What the server asks for; `null` = it does not say. */
      readonly waitMs: number | null;
      /** Whether enough was gained for the count of failures to start over. */
      readonly progressed: boolean;
    };

/** With the waits below: over in some eight seconds where there is no network at all. */
export const mostAttempts = 5;

const firstWaitMs = 500;

/** A server that asks for more is asked again too early once or twice, and then the user decides. */
const longestWaitMs = 60_000;

/**
 * Attempts until one is done, with waits that double or that the server asks for.
 *
 * @throws UserError after `mostAttempts` failures in a row; what `attempt` throws; the reason of `signal`
 */
export async function withRetries<T>(
  hub: HubConnection,
  { subject, signal }: { readonly subject: string; readonly signal: AbortSignal },
  attempt: () => Promise<Attempt<T>>,
): Promise<T> {
  let failures = 0;
  for (;;) {
    signal.throwIfAborted();
    const outcome = await attempt();
    if (outcome.state === 'done') return outcome.value;
    const { why, progressed } = outcome;
    failures = progressed ? 1 : failures + 1;
    if (failures >= mostAttempts) {
      const what = `${why}, ${mostAttempts} times in a row`;
      const fix = `check the network and ${hub.endpoint}, then run the command again: it continues`;
      throw new UserError({ what, where: subject, fix });
    }
    const waitMs = Math.min(outcome.waitMs ?? firstWaitMs * 2 ** (failures - 1), longestWaitMs);
    hub.onRetry({ subject, why, waitMs });
    await hub.wait(waitMs, signal);
  }
}
