import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { bundleManifestName } from '../backbone/bundle-manifest.js';
import { sha256 } from '../core/content-hash.js';
import { messageOf, UserError } from '../core/errors.js';
import { isRunning } from '../core/is-running.js';
import type { WrittenFile } from '../onnx/external-weights.js';

/**
 * Lets `write` fill a new directory beside `out` and moves it to `out` when it is complete: a half-written
 * bundle is never seen there. An older bundle in `out` is replaced. On failure the new directory is removed;
 * one that a crash leaves behind is removed the next time.
 *
 * Throws `UserError` when `out` holds something else than a bundle or cannot be written.
 */
export async function writeDirectory<T>(out: string, write: (dir: string) => Promise<T>): Promise<T> {
  const target = resolve(out);
  await refuseForeign(target, out);
  await removeLeftovers(target);
  const part = besides(target, 'part');
  try {
    await mkdir(part, { recursive: true });
    const result = await write(part);
    await moveInto(part, target);
    return result;
  } catch (error) {
    await rm(part, { recursive: true, force: true });
    if (!hasCode(error, ['ENOSPC', 'EDQUOT', 'EACCES', 'EROFS', 'ENOTDIR'])) throw error;
    throw new UserError(
      {
        where: out,
        what: `cannot be written (${messageOf(error)})`,
        fix: 'free space or name another place',
      },
      { cause: error },
    );
  }
}

/** Writes a small file of a bundle. */
export async function writeBundleFile(dir: string, path: string, content: Uint8Array): Promise<WrittenFile> {
  await writeFile(join(dir, path), content, { flag: 'wx', flush: true });
  return { path, bytes: content.byteLength, sha256: sha256(content) };
}

/** Another conversion to the same place may finish between two steps; it can do so only so often. */
const moveAttempts = 5;

async function moveInto(part: string, target: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await rename(part, target);
      return;
    } catch (error) {
      if (!hasCode(error, ['ENOTEMPTY', 'EEXIST', 'EPERM']) || attempt === moveAttempts) throw error;
    }
    const old = besides(target, 'old');
    try {
      await rename(target, old);
    } catch (error) {
      if (!hasCode(error, ['ENOENT'])) throw error;
    }
    await rm(old, { recursive: true, force: true });
  }
}

function besides(target: string, kind: 'part' | 'old'): string {
  const unique = `${process.pid}-${randomBytes(6).toString('hex')}`;
  return join(dirname(target), `.${basename(target)}.${kind}-${unique}`);
}

/** Removes what processes that are gone left beside `target`: it is as large as a bundle. */
async function removeLeftovers(target: string): Promise<void> {
  const folder = dirname(target);
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.startsWith(`.${basename(target)}.`)) continue;
    const [, pid] = /^(?:part|old)-(\d+)-[0-9a-f]{12}$/.exec(name.slice(basename(target).length + 2)) ?? [];
    if (pid === undefined || isRunning(Number(pid))) continue;
    await rm(join(folder, name), { recursive: true, force: true });
  }
}

async function refuseForeign(target: string, out: string): Promise<void> {
  let names: string[];
  try {
    names = await readdir(target);
  } catch (error) {
    if (hasCode(error, ['ENOENT'])) return;
    throw new UserError(
      { where: out, what: 'cannot become a bundle directory', fix: 'name another place' },
      { cause: error },
    );
  }
  if (names.length === 0 || names.includes(bundleManifestName)) return;
  throw new UserError({
    where: out,
    what: 'is a directory with other files in it',
    fix: 'name a new directory, or an older bundle to replace',
  });
}

function hasCode(error: unknown, codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}
