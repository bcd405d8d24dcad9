import type { z } from 'zod';
import { UserError } from '../core/errors.js';
import { readPythonJsonFile } from '../core/python-json-file.js';

const fix = 'restore the vectors';

/**
 * Reads recorded calls of Python code: JSON whose numbers keep their Python text.
 *
 * @throws UserError of one line when the file is missing, too large, no JSON or of another format
 */
export async function readVectorFile<T extends z.ZodType>(file: string, schema: T): Promise<z.output<T>> {
  const parsed = schema.safeParse(await readPythonJsonFile(file, fix));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.join('.') ?? '';
  const where = field === '' ? file : `${file}, field ${field}`;
  throw new UserError({ what: issue?.message ?? 'is of another format', where, fix });
}
