import { z } from 'zod';
import { UserError } from '../core/errors.js';
import { isPythonDict, type PythonDict, type PythonValue } from '../core/python-value.js';

/** Any value a JSON file can hold, in Python's terms. */
export const pythonValueSchema = z.custom<PythonValue>((value) => value !== undefined, 'is missing');

/** An object of a JSON file, as it was read. */
export const pythonDictSchema = z.custom<PythonDict>(
  (value) => value !== undefined && isPythonDict(value as PythonValue),
  'is no object',
);

/**
 * The fields of a value, checked.
 * Throws a `UserError` that names the file and sample in `where`, and the field.
 */
export function readFields<Schema extends z.ZodType>(
  schema: Schema,
  { value, where, fix }: { readonly value: PythonValue; readonly where: string; readonly fix: string },
): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue === undefined || issue.path.length === 0 ? '' : `, field ${issue.path.join('.')}`;
  throw new UserError({ what: issue?.message ?? 'does not fit the format', where: `${where}${field}`, fix });
}
