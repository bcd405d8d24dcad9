import { readFile, stat } from 'node:fs/promises';
import type { z } from 'zod';
import { messageOf, UserError } from './errors.js';

/** Manifests are kilobytes and the largest published tokenizers some 20 MB; anything larger is the wrong file. */
export const maxJsonBytes = 64 * 1024 * 1024;

/** Whether `path` is a file. */
export async function fileExists(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** What the user is told to do about a file that is damaged, and about fields that do not fit. */
export interface JsonRemedies {
  readonly damaged: string;
  readonly unfit: string;
}

/**
 * Reads a JSON file and checks it against a schema.
 *
 * @param fix one remedy for everything, or one for damaged files and one for fields at fault
 * @throws UserError of one line naming the file, and every field at fault
 */
export async function readJsonFile<T extends z.ZodType>(
  path: string,
  schema: T,
  fix: string | JsonRemedies,
): Promise<z.output<T>> {
  const remedies = typeof fix === 'string' ? { damaged: fix, unfit: fix } : fix;
  const parsed = schema.safeParse(await parseFile(path, remedies.damaged));
  if (parsed.success) return parsed.data;
  const what = parsed.error.issues
    .map((issue) => [...issue.path.map(String), issue.message].join(': '))
    .join(', ');
  throw new UserError({ what, where: path, fix: remedies.unfit });
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
