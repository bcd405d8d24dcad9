import { readFile, stat } from 'node:fs/promises';
import { messageOf, UserError } from './errors.js';
import { parsePythonJson } from './python-json.js';
import type { PythonValue } from './python-value.js';

/** Predictions repeat their prompts, some tens of MB for the long ones; a JavaScript string ends at 512 Mi characters. */
export const maxPythonJsonBytes = 256 * 2 ** 20;

/**
 * Reads a UTF-8 file as `json.load` does.
 * Throws a `UserError` naming the file when it cannot be read, is too large, is no UTF-8 or no JSON.
 */
export async function readPythonJsonFile(file: string, fix: string): Promise<PythonValue> {
  try {
    const { size } = await stat(file);
    if (size > maxPythonJsonBytes) {
      throw new UserError({ what: `has ${size} bytes, more than ${maxPythonJsonBytes}`, where: file, fix });
    }
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await readFile(file));
    return parsePythonJson(text);
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    const what = isMissing ? 'does not exist' : `cannot be read as JSON (${messageOf(cause)})`;
    throw new UserError({ what, where: file, fix }, { cause });
  }
}
