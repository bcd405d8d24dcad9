import type { z } from 'zod';
import { readJsonFile } from '../core/json-file.js';

/**
 * Reads a JSON file of a checkpoint.
 *
 * @param unfit what the user is told to do about fields that do not fit
 * @throws UserError of one line naming the file, and every field at fault
 */
export function readCheckpointJson<T extends z.ZodType>(
  path: string,
  schema: T,
  unfit = 'use a complete, unmodified checkpoint',
): Promise<z.output<T>> {
  return readJsonFile(path, schema, { damaged: 'download the complete checkpoint again', unfit });
}
