import { groupBy } from '../core/group-by.js';
import type { CellRow } from './cell-rows.js';

/** A run may remark on much; the records hold the rest. */
const mostRemarks = 8;

interface Remarked {
  readonly remark: string;
  /** `roco (release)`. */
  readonly method: string;
  /** Of the sample, whatever the cell. */
  readonly sample: string;
}

/** `1 sample`, `330 samples`: of all budgets and protocols of a method together. */
function samplesOf(remarked: readonly Remarked[]): string {
  const samples = new Set(remarked.map(({ sample }) => sample)).size;
  return `${samples} sample${samples === 1 ? '' : 's'}`;
}

/** What the records of a report remark on, each remark once with the methods and samples it holds for. */
export function remarkNotes(rows: readonly CellRow[]): string[] {
  const records = new Set(rows.flatMap((row) => row.records));
  const remarked = [...records].flatMap(({ cell, task, sampleId, cache }) =>
    cache.remarks.map(
      (remark): Remarked => ({
        remark,
        method: `${cell.method} (${cell.semantics})`,
        sample: `${task}\n${sampleId}`,
      }),
    ),
  );
  const notes = [...groupBy(remarked, ({ remark }) => remark)].map(([remark, own]) => {
    const methods = [...groupBy(own, ({ method }) => method)];
    return `${methods.map(([method, of]) => `${method}, ${samplesOf(of)}`).join('; ')}: ${remark}`;
  });
  if (notes.length <= mostRemarks) return notes;
  return [...notes.slice(0, mostRemarks), `… and ${notes.length - mostRemarks} more in the records.`];
}
