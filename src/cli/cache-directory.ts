import { homedir } from 'node:os';
import path from 'node:path';
import type { Shell } from './shell.js';

/**
 * What the cache holds: bundles of checkpoints that `bench` converted, bundles that `pull` made and the checkpoints it
 * downloaded, features of images, caches that memory has no room for while a sample runs, and the lock of latency runs.
 */
type CachePart = 'bundles' | 'pulled' | 'checkpoints' | 'vision' | 'spill' | 'latency';

/** Where a part of the cache lies: in `$LOOKM_CACHE`, `$XDG_CACHE_HOME/lookm` or `~/.cache/lookm`. */
export function cacheDirectory(env: Shell['env'], part: CachePart): string {
  const own = env['LOOKM_CACHE'];
  if (own !== undefined && own !== '') return path.join(path.resolve(own), part);
  const shared = env['XDG_CACHE_HOME'];
  const root =
    shared !== undefined && path.isAbsolute(shared) ? shared : path.join(env['HOME'] ?? homedir(), '.cache');
  return path.join(root, 'lookm', part);
}
