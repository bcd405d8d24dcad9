import CliTable from 'cli-table3';
import pico from 'picocolors';
import { shownValue, type Table } from './table.js';

const noLines = {
  ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '' },
  ...{ bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '' },
  ...{ left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '' },
  middle: '  ',
};

/** The table as aligned text: title, header, rows, notes; the legend is left to the caller. Flagged rows are yellow, or end in `!` without colours. */
export function renderConsole(
  { title, notes, columns, rows }: Table,
  { colours }: { readonly colours: boolean },
): string {
  const visible = columns
    .map((column, i) => ({ column, i }))
    .filter(({ column }) => column.shownIn === undefined);
  const paint = pico.createColors(colours);
  const grid = new CliTable({
    head: visible.map(({ column }) => paint.dim(column.header)),
    colAligns: visible.map(({ column }) => (column.kind === 'number' ? 'right' : 'left')),
    chars: noLines,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  for (const { values, flagged } of rows) {
    const shown = visible.map(({ column, i }) => shownValue(values[i] ?? null, column));
    grid.push(flagged ? shown.map(paint.yellow) : shown);
  }
  const [head = '', ...body] = grid.toString().split('\n');
  const marked = body.map((line, i) => (rows[i]?.flagged && !colours ? `${line} !` : line.trimEnd()));
  const below = notes.length === 0 ? [] : ['', ...notes.map((note) => paint.dim(note))];
  return [paint.bold(title), '', head, ...marked, ...below, ''].join('\n');
}
