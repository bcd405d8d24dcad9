import path from 'node:path';
import { z } from 'zod';
import { fileExists, readJsonFile } from '../core/json-file.js';
import { writeAtomically } from '../core/write-atomically.js';

const recordName = 'pulled.json';

const originSchema = z.strictObject({ repository: z.string(), commit: z.string() });

const recordSchema = z.strictObject({
  format: z.literal(1),
  model: originSchema,
  /** Repository of the vision tower, where it has one of its own. */
  vision: originSchema.nullable(),
  /** Checksums of all files that were converted, by repository and name. */
  files: z.record(z.string(), z.string()),
  /** What the conversion was asked for. */
  options: z.strictObject({ template: z.string(), dtype: z.string() }),
});

/** Where a bundle came from, in a file of its own beside those of the bundle. */
export type PullRecord = z.output<typeof recordSchema>;

/** The record of a bundle; `null` where none can be read, as in bundles that were made otherwise. */
export async function readPullRecord(bundle: string): Promise<PullRecord | null> {
  const file = path.join(bundle, recordName);
  if (!(await fileExists(file))) return null;
  return readJsonFile(file, recordSchema, 'pull it again').catch(() => null);
}

export async function writePullRecord(bundle: string, record: PullRecord): Promise<void> {
  await writeAtomically(path.join(bundle, recordName), `${JSON.stringify(record, null, 2)}\n`);
}
