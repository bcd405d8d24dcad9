import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { describeBytes } from '../hub/disk-space.js';
import { pulledBundles, pulledNames } from '../pull/pulled-bundles.js';
import { readPresets } from './backbone-presets.js';
import { findCachedBundle } from './bundle-cache.js';
import { cacheDirectory } from './cache-directory.js';
import { printList } from './print-list.js';
import { shelfNames } from './resolve-asset.js';
import type { Shell } from './shell.js';

/** The bundles of a preset or repository in the cache, with their sizes. */
async function bundlesOf(name: string, shell: Shell): Promise<string> {
  const bundles = await pulledBundles(cacheDirectory(shell.env, 'pulled'), name);
  return bundles.map(({ variant, bytes }) => `${variant} ${describeBytes(bytes)}`).join(', ');
}

/** Prints the backbones that `--backbone` takes, those that are yet to be pulled included. */
export async function listBackbones(shell: Shell, json: boolean): Promise<void> {
  const embedded = await shelfNames(shell.packageRoot, 'models');
  const presets = await readPresets(shell.packageRoot);
  const items = embedded.map((name) => {
    return { name, kind: 'embedded', parameters: '', pulled: '', use: `--backbone ${name}` };
  });
  for (const [name, { parameters }] of presets) {
    const pulled = await bundlesOf(name, shell);
    const use = pulled === '' ? `lookm pull ${name}` : `--backbone ${name}`;
    items.push({ name, kind: 'preset', parameters: `${(parameters / 1e9).toFixed(1)} B`, pulled, use });
  }
  for (const name of await pulledNames(cacheDirectory(shell.env, 'pulled'))) {
    if (presets.has(name)) continue;
    const pulled = await bundlesOf(name, shell);
    const use = pulled === '' ? `lookm pull ${name}` : `--backbone ${name}`;
    items.push({ name, kind: 'repository', parameters: '', pulled, use });
  }
  const bundles = cacheDirectory(shell.env, 'bundles');
  for (const name of (await readdir(bundles).catch(() => [])).sort()) {
    if (name.startsWith('.')) continue;
    const directory = path.join(bundles, name);
    const source = (await findCachedBundle(directory))?.manifest.source.kind;
    const kind = source === 'random' ? 'random weights' : 'converted';
    items.push({ name, kind, parameters: '', pulled: '', use: `--backbone ${directory}` });
  }
  const fields = ['name', 'kind', 'parameters', 'pulled', 'use'] as const;
  printList(items, { title: 'Backbones', fields, json, output: shell.stdout });
}
