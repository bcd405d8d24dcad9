import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** Reads rows of golden data from `test/fixtures/eval`. */
export function readRows<Schema extends z.ZodType>(file: string, row: Schema): z.infer<Schema>[] {
  const url = new URL(`../fixtures/eval/${file}`, import.meta.url);
  return z.array(row).parse(JSON.parse(readFileSync(url, 'utf8')));
}
