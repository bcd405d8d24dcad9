import { shownValue, type Table } from './table.js';

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('|', '\\|');
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** The table as GitHub Markdown with title, notes and legend; flagged rows are bold. */
export function renderMarkdown({ title, notes, legend, columns, rows }: Table): string {
  const body = rows.map(({ values, flagged }) => {
    const cells = columns.map((column, i) => escaped(shownValue(values[i] ?? null, column)));
    return line(flagged ? cells.map((cell) => `**${cell}**`) : cells);
  });
  return [
    `## ${title}`,
    '',
    line(columns.map(({ header }) => escaped(header))),
    line(columns.map(({ kind }) => (kind === 'number' ? '---:' : ':---'))),
    ...body,
    '',
    ...[...notes, ...legend].map((note) => `- ${note}`),
    '',
  ].join('\n');
}
