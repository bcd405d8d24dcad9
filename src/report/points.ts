import type { Estimate } from './estimates.js';
import type { TableColumn, TableValue } from './table.js';

/** A share as a percentage, a difference of shares in points. */
export function points(share: number | undefined): TableValue {
  return share === undefined ? null : share * 100;
}

/** An estimate with its bounds: three columns. */
export function estimateColumns(
  header: string,
  shownIn?: NonNullable<TableColumn['shownIn']>,
): TableColumn[] {
  const column = { kind: 'number', decimals: 1 } as const;
  const bound = { ...column, ...(shownIn === undefined ? {} : { shownIn }) };
  return [
    { ...column, header },
    { ...bound, header: `${header} low` },
    { ...bound, header: `${header} high` },
  ];
}

/** The values of `estimateColumns`, in percent or points. */
export function estimateValues(estimate: Estimate | null | undefined): TableValue[] {
  return [points(estimate?.value), points(estimate?.interval?.low), points(estimate?.interval?.high)];
}
