import { z } from 'zod';
import { UserError } from '../core/errors.js';

/** Name of the optional file in a dataset root that defines datasets or redefines official ones. */
export const columnsFileName = 'columns.json';

/** A folder name: nothing that could lead out of the root. */
export const datasetNameSchema = z
  .string()
  .regex(/^(?!\.{1,2}$)[\w.-]+$/, 'must be a folder name of letters, digits, . _ -');

/** Datasets of a root by name. Fields besides these describe the dataset for readers and are left alone. */
export const columnsFileSchema = z.record(
  datasetNameSchema,
  z.object({
    column: z.string().min(1),
    metric: z.string().min(1),
  }),
);
export type ColumnsFile = z.infer<typeof columnsFileSchema>;

/** Checks the parsed JSON of a columns file. Throws a `UserError` naming file, dataset and field. */
export function parseColumnsFile(json: unknown, file: string): ColumnsFile {
  const parsed = columnsFileSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue === undefined || issue.path.length === 0 ? '' : `, ${issue.path.join('.')}`;
  throw new UserError({
    what: issue?.message ?? 'not a columns file',
    where: `${file}${field}`,
    fix: 'write {"<Dataset>": {"column": "T-1", "metric": "accuracy"}, …}',
  });
}
