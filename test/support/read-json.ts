import { readFileSync } from 'node:fs';
import type { z } from 'zod';

/** Reads a JSON fixture and checks its shape, so that a test cannot pass on fields that are not there. */
export function readJson<T extends z.ZodType>(path: string, schema: T): z.output<T> {
  return schema.parse(JSON.parse(readFileSync(path, 'utf8')));
}
