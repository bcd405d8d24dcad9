import { renderConsole } from '../report/render-console.js';
import type { Output } from './shell.js';

/** A list of things with the same fields, as an aligned table or as JSON. */
export function printList<Field extends string>(
  items: readonly Readonly<Record<Field, string>>[],
  {
    title,
    fields,
    json,
    output,
  }: {
    readonly title: string;
    readonly fields: readonly Field[];
    readonly json: boolean;
    readonly output: Output;
  },
): void {
  if (json) {
    output.write(`${JSON.stringify(items, null, 2)}\n`);
    return;
  }
  const columns = fields.map((header) => ({ header, kind: 'text' }) as const);
  const rows = items.map((item) => ({ values: fields.map((field) => item[field]), flagged: false }));
  output.write(renderConsole({ name: title, title, notes: [], legend: [], columns, rows }, output));
}
