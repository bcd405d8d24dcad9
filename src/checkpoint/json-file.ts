import { readFile, stat } from 'node:fs/promises';
import type { z } from 'zod';
import { UserError } from '../core/errors.js';

/** Configuration files are a few kilobytes and shard indices below 1 MB; anything larger is the wrong file. */
export const maxJsonBytes = 32 * 1024 * 1024;

/** Whether `path` is a file. */
export async function fileExists(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/**
 * Reads a JSON file of a checkpoint and checks it. Throws one-line `UserError`s naming the file and every
 * field at fault; `fix` is what the user is told to do about such fields.
 */
export async function readJsonFile<T extends z.ZodType>(
  path: string,
  schema: T,
  fix = 'use a complete, unmodified checkpoint',
): Promise<z.output<T>> {
  const parsed = schema.safeParse(await readJson(path));
  if (parsed.success) return parsed.data;
  const what = parsed.error.issues
    .map((issue) => [...issue.path.map(String), issue.message].join(': '))
    .join(', ');
  throw new UserError({ where: path, what, fix });
}

const downloadAgain = 'download the complete checkpoint again';

async function readJson(path: string): Promise<unknown> {
  let text: string;
  try {
    const { size } = await stat(path);
    if (size > maxJsonBytes) {
      throw new UserError({
        where: path,
        what: `has ${size} bytes, more than ${maxJsonBytes}`,
        fix: downloadAgain,
      });
    }
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    throw new UserError({ where: path, what: 'cannot be read', fix: downloadAgain }, { cause });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UserError({ where: path, what: 'is not JSON', fix: downloadAgain }, { cause });
  }
}
