import { shownValue, type Table } from './table.js';

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('|', '\\|');
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** The table as GitHub Markdown with title, notes and legend; flagged rows are bold. */
export function renderMarkdown({ title, notes, legend, columns, rows }: Table): string {
  const shown = columns.map((column, i) => ({ column, i })).filter(({ column }) => column.shownIn !== 'csv');
  const body = rows.map(({ values, flagged }) => {
    const cells = shown.map(({ column, i }) => escaped(shownValue(values[i] ?? null, column)));
    return line(flagged ? cells.map((cell) => `**${cell}**`) : cells);
  });
  return [
    `## ${title}`,
    '',
    line(shown.map(({ column }) => escaped(column.header))),
    line(shown.map(({ column }) => (column.kind === 'number' ? '---:' : ':---'))),
    ...body,
    '',
    ...[...notes, ...legend].map((note) => `- ${note}`),
    '',
  ].join('\n');
}
