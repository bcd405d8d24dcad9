import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import type { HubConnection } from '../../src/hub/hub-connection.js';
import { type PullRequest, type PullSummary, pullBackbone } from '../../src/pull/pull-backbone.js';
import { connect, type HubRepository, hubOf, serve } from '../hub/fake-hub.js';

export const llava = { repository: 'liuhaotian/llava-v1.5-7b', revision: 'main', vision: null };

/** Where a test downloads and converts to. */
export interface Place {
  readonly checkpoints: string;
  readonly bundles: string;
}

export async function scratch(): Promise<Place> {
  const root = await mkdtemp(path.join(tmpdir(), 'lookm-pull-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  return { checkpoints: path.join(root, 'checkpoints'), bundles: path.join(root, 'bundles') };
}

export function bundleIn(
  { bundles }: Place,
  dtype: 'fp32' | 'fp16' = 'fp32',
): NonNullable<PullRequest['bundle']> {
  const directory = path.join(bundles, dtype);
  return { directory, name: 'pulled', template: null, dtypes: { dtype }, replace: true };
}

export function pull(
  hub: HubConnection,
  place: Place,
  request: Partial<PullRequest> = {},
): Promise<PullSummary> {
  return pullBackbone({
    hub,
    source: llava,
    checkpoints: place.checkpoints,
    bundle: bundleIn(place),
    keepCheckpoint: true,
    signal: new AbortController().signal,
    onProgress: () => {},
    ...request,
  });
}

export async function serveAll(...repositories: readonly HubRepository[]) {
  const server = await serve(hubOf(repositories));
  /** Files that were asked for, `owner/name/file`, since the last call. */
  const asked = (): string[] =>
    server.asked
      .splice(0)
      .flatMap(({ path: at }) =>
        at.includes('/resolve/') ? [at.slice(1).replace(/resolve\/[0-9a-f]+\//, '')] : [],
      );
  return { asked, requests: server.asked, ...connect(server.origin) };
}

/** Files below a directory, locks left out. */
export async function filesIn(directory: string): Promise<string[]> {
  const files: string[] = [];
  for (const name of await readdir(directory, { recursive: true }).catch(() => [])) {
    if (path.basename(name) !== 'lock' && (await stat(path.join(directory, name))).isFile()) files.push(name);
  }
  return files.sort();
}
