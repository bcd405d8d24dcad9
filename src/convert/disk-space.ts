import { statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { UserError } from '../core/errors.js';

/** Throws `UserError` unless `needed` bytes are free where `dir` lies; the message speaks of `out`. */
export async function refuseSmallDisk(dir: string, out: string, needed: number): Promise<void> {
  const { bavail, bsize } = await statfs(dir);
  const free = bavail * bsize;
  if (free >= needed) return;
  const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
  throw new UserError({
    where: dirname(resolve(out)),
    what: `the bundle needs ${gigabytes(needed)}, but only ${gigabytes(free)} are free`,
    fix: 'free space or name a directory on another disk',
  });
}
