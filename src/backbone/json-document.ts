import { readFile, stat } from 'node:fs/promises';
import type { z } from 'zod';
import { messageOf, UserError } from '../core/errors.js';

/** Manifests are kilobytes and the largest published tokenizers some 20 MB; anything larger is the wrong file. */
export const maxJsonBytes = 64 * 1024 * 1024;

/**
 * Reads a JSON file of a bundle and checks it against a schema.
 *
 * Throws a one-line `UserError` naming the file, and the fields at fault; `fix` is what it tells the user to do.
 */
export async function readJsonDocument<T extends z.ZodType>(
  path: string,
  schema: T,
  fix: string,
): Promise<z.output<T>> {
  const parsed = schema.safeParse(await parseFile(path, fix));
  if (parsed.success) return parsed.data;
  const what = parsed.error.issues
    .map((issue) => [...issue.path.map(String), issue.message].join(': '))
    .join(', ');
  throw new UserError({ what, where: path, fix });
}

async function parseFile(path: string, fix: string): Promise<unknown> {
  let text: string;
  try {
    const { size } = await stat(path);
    if (size > maxJsonBytes) {
      throw new UserError({ what: `has ${size} bytes, more than ${maxJsonBytes}`, where: path, fix });
    }
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof UserError) throw error;
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    const what = isMissing ? 'does not exist' : `cannot be read (${messageOf(error)})`;
    throw new UserError({ what, where: path, fix }, { cause: error });
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UserError({ what: `is not JSON (${messageOf(error)})`, where: path, fix }, { cause: error });
  }
}
