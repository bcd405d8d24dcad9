/** A column of numbers is right-aligned and shown with a fixed number of decimals. */
export interface TableColumn {
  readonly header: string;
  readonly kind: 'text' | 'number';
  /** Decimals shown to readers; CSV keeps more. */
  readonly decimals?: number;
  /** Significant digits shown instead, for numbers that may be tiny. */
  readonly digits?: number;
  /** Numbers above 0 carry a plus. */
  readonly signed?: boolean;
  /** Where the column appears if not everywhere: `files` leaves out the console, `csv` Markdown too. */
  readonly shownIn?: 'files' | 'csv';
}

/** `null` = nothing was measured. */
export type TableValue = string | number | null;

export interface TableRow {
  readonly values: readonly TableValue[];
  /** Something about the row needs the reader's attention; the table's notes say what. */
  readonly flagged: boolean;
}

/** A table before it is drawn: any renderer shows the same numbers. */
export interface Table {
  /** Name of its files. */
  readonly name: string;
  readonly title: string;
  /** Too long for the console. */
  readonly filesOnly?: boolean;
  /** What a reader must know to read the numbers, a sentence each. */
  readonly notes: readonly string[];
  /** What the tables of a report have in common: a reader of several needs it once. */
  readonly legend: readonly string[];
  readonly columns: readonly TableColumn[];
  readonly rows: readonly TableRow[];
}

/** What stands for a missing value. */
export const missingValue = '–';

function shownNumber(value: number, { decimals = 0, digits, signed = false }: TableColumn): string {
  const sign = signed && value > 0 ? '+' : '';
  return sign + (digits === undefined ? value.toFixed(decimals) : String(Number(value.toPrecision(digits))));
}

/** A value as readers see it. */
export function shownValue(value: TableValue, column: TableColumn): string {
  if (value === null || (typeof value === 'number' && !Number.isFinite(value))) return missingValue;
  return typeof value === 'number' ? shownNumber(value, column) : value;
}
