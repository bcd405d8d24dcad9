import path from 'node:path';
import { writeAtomically } from '../core/write-atomically.js';
import { renderCsv } from './render-csv.js';
import { renderMarkdown } from './render-markdown.js';
import type { Table } from './table.js';

/** Writes every table as `<name>.csv` and `<name>.md` into a directory, each file replaced as a whole. Returns their names. */
export async function writeTables(directory: string, tables: readonly Table[]): Promise<string[]> {
  const files = tables.flatMap((table) => [
    { name: `${table.name}.csv`, text: renderCsv(table) },
    { name: `${table.name}.md`, text: renderMarkdown(table) },
  ]);
  for (const { name, text } of files) await writeAtomically(path.join(directory, name), text);
  return files.map(({ name }) => name);
}
