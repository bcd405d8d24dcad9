import { statfs } from 'node:fs/promises';
import { UserError } from '../core/errors.js';

/** Bytes that may still be written to the disk of a directory. */
export async function freeBytes(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}

function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}

/** A disk without room becomes a problem of the user's; everything else stays what it is. */
export function asDiskProblem(error: unknown, where: string): unknown {
  if (!isFull(error)) return error;
  const fix = 'free some space and run the command again: it continues';
  return new UserError({ what: 'the disk is full', where, fix }, { cause: error });
}

/** Bytes as people read them. */
export function describeBytes(bytes: number): string {
  return bytes < 2 ** 30 ? `${(bytes / 2 ** 20).toFixed(1)} MiB` : `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}
