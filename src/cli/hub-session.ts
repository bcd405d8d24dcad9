import { defaultEndpoint, type HubConnection, openHub, type RetryNotice } from '../hub/hub-connection.js';
import { exitCodes } from './program.js';
import type { Progress } from './progress.js';
import type { Shell } from './shell.js';

/** Help of `--endpoint`. */
export const endpointHelp = `hub or mirror (default: $HF_ENDPOINT or ${defaultEndpoint})`;

function setting(value: string | undefined): string | undefined {
  const trimmed = value?.trim();
  return trimmed === '' ? undefined : trimmed;
}

/**
 * Does something with the hub that flags and environment name, until it is done or Ctrl-C is pressed; then the exit
 * code says so. Retries are noted above the progress.
 */
export async function withHub(
  { endpoint, progress, shell }: { endpoint: string | undefined; progress: Progress; shell: Shell },
  work: (hub: HubConnection, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const onRetry = ({ subject, why, waitMs }: RetryNotice): void => {
    progress.note(`${subject}: ${why}; trying again in ${waitMs / 1000} s`);
  };
  const hub = openHub({
    endpoint: endpoint ?? setting(shell.env['HF_ENDPOINT']),
    token: setting(shell.env['HF_TOKEN']),
    onRetry,
  });
  const stopping = new AbortController();
  const forget = shell.onInterrupt(() => stopping.abort());
  try {
    await work(hub, stopping.signal);
  } catch (error) {
    if (!stopping.signal.aborted) throw error;
    progress.note('stopped; the same command continues');
    shell.setExitCode(exitCodes.interrupted);
  } finally {
    forget();
    progress.stop();
  }
}
