import { link, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { UserError } from './errors.js';
import { isRunning } from './is-running.js';

const lockSchema = z.strictObject({ pid: z.int().positive(), since: z.number() });

/** How the message of a taken lock explains it. */
interface LockUse {
  readonly doing: string;
  readonly instead: string;
}

/** Seconds of slack when the age of a lock is compared with the start of this process. */
const clockSlack = 1;

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** The process a lock belongs to, `null` when it is gone (also: its number was given to this process since). */
async function holderOf(file: string): Promise<number | null> {
  const text = await readFile(file, 'utf8').catch(() => null);
  if (text === null) return null;
  let content: unknown = null;
  try {
    content = JSON.parse(text);
  } catch {
    return null;
  }
  const lock = lockSchema.safeParse(content);
  if (!lock.success) return null;
  const { pid, since } = lock.data;
  if (pid === process.pid) {
    const startedAt = Date.now() / 1000 - process.uptime();
    return since < startedAt - clockSlack ? null : pid;
  }
  return isRunning(pid) ? pid : null;
}

/**
 * Takes the lock of a directory, so that no two processes write to it. A lock whose process is gone is taken over.
 * Returns the release. Throws a `UserError` naming the process that holds it.
 *
 * @param use.doing what the holder does
 * @param use.instead what the user can do beside waiting
 */
export async function lockDirectory(
  directory: string,
  use: Partial<LockUse> = {},
): Promise<() => Promise<void>> {
  const { doing = 'is writing to it', instead = 'choose another --out' } = use;
  const file = path.join(directory, 'lock');
  const draft = path.join(directory, `lock.${process.pid}.tmp`);
  await writeFile(draft, JSON.stringify({ pid: process.pid, since: Date.now() / 1000 }));
  try {
    // A link appears with its content and only where nothing is, so nobody reads half a lock.
    await link(draft, file).catch(async (error: unknown) => {
      if (!hasCode(error, 'EEXIST')) throw error;
      const holder = await holderOf(file);
      if (holder !== null) throw inUse(directory, holder, { doing, instead });
      await rm(file, { force: true });
      await link(draft, file).catch(async (again: unknown) => {
        if (!hasCode(again, 'EEXIST')) throw again;
        throw inUse(directory, (await holderOf(file)) ?? 0, { doing, instead });
      });
    });
  } finally {
    await rm(draft, { force: true });
  }
  return () => rm(file, { force: true });
}

function inUse(directory: string, pid: number, { doing, instead }: LockUse): UserError {
  const fix = `wait for it, stop it, or ${instead}`;
  return new UserError({ what: `process ${pid} ${doing}`, where: directory, fix });
}
