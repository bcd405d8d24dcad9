import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { hashJson, sha256 } from '../core/content-hash.js';

/** Hash of what each embedded directory holds; changes with the assets, which a test checks. */
export const embeddedAssets = Object.freeze({
  'models/tiny-llava': '80bbfe53990b7feb6c11e93c7c364f8140ec1a850beae95af995d01d88ab17df',
  'datasets/minimile': 'c0679e892541bb77b163242adde08b3bb4364543039b08ac54c3e4576c43a234',
} as const satisfies Record<string, string>);

/** Hash of all files below a directory: their relative paths and contents. Rejects when it cannot be read. */
export async function hashDirectory(directory: string): Promise<string> {
  const contents: [string, string][] = [];
  for (const name of (await readdir(directory, { recursive: true })).sort()) {
    const file = path.join(directory, name);
    if (!(await stat(file)).isFile()) continue;
    contents.push([name.split(path.sep).join('/'), sha256(await readFile(file))]);
  }
  return hashJson(contents);
}
