import { stringify } from 'csv-stringify/sync';
import type { Table, TableValue } from './table.js';

/** More digits than any reader needs, few enough to hide the rounding of sums. */
const csvDigits = 10;

function csvValue(value: TableValue): string {
  if (value === null || (typeof value === 'number' && !Number.isFinite(value))) return '';
  return typeof value === 'number' ? String(Number(value.toPrecision(csvDigits))) : value;
}

/** The table as CSV with one header line; missing values are empty. Notes are left to Markdown. */
export function renderCsv({ columns, rows }: Table): string {
  return stringify([columns.map(({ header }) => header), ...rows.map(({ values }) => values.map(csvValue))]);
}
