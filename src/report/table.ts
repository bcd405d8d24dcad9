/** A column of numbers is right-aligned and shown with a fixed number of decimals. */
export interface TableColumn {
  readonly header: string;
  readonly kind: 'text' | 'number';
  /** Decimals shown to readers; CSV keeps more. */
  readonly decimals?: number;
  /** The same in every row of a report: files carry it, the console leaves it to the legend. */
  readonly filesOnly?: boolean;
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
  /** What a reader must know to read the numbers, a sentence each. */
  readonly notes: readonly string[];
  /** What the tables of a report have in common: a reader of several needs it once. */
  readonly legend: readonly string[];
  readonly columns: readonly TableColumn[];
  readonly rows: readonly TableRow[];
}

/** What stands for a missing value. */
export const missingValue = '–';

/** A value as readers see it. */
export function shownValue(value: TableValue, column: TableColumn): string {
  if (value === null || (typeof value === 'number' && !Number.isFinite(value))) return missingValue;
  return typeof value === 'number' ? value.toFixed(column.decimals ?? 0) : value;
}
