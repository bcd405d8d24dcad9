import type { SampleRecord } from '../bench/record.js';
import { unquantisedName } from '../compression/method-set.js';
import { bootstrapInterval } from '../core/bootstrap.js';
import { pairwiseMean } from '../core/pairwise-mean.js';
import { cellColumns, cellValues } from './cell-rows.js';
import { pairRecords } from './paired-difference.js';
import { points } from './points.js';
import type { Report, ScoredRow } from './report.js';
import type { Table, TableRow, TableValue } from './table.js';

/** Intervals are the same whenever tables are written. */
const seed = 6138;

/** The row of the same cell without quantisation, if the report has it. */
function partnerOf({ cell, firstToken }: ScoredRow, rows: readonly ScoredRow[]): ScoredRow | undefined {
  const plain = unquantisedName(cell.method);
  const budget = JSON.stringify(cell.budget);
  return rows.find(
    (row) =>
      row.cell.method === plain &&
      row.cell.semantics === cell.semantics &&
      row.firstToken === firstToken &&
      JSON.stringify(row.cell.budget) === budget,
  );
}

/** Samples whose answers are the same token by token, of those that both have answered. */
function sameAnswers(records: readonly SampleRecord[], others: readonly SampleRecord[]): number[] {
  const tokensOf = new Map(others.map(({ task, sampleId, tokens }) => [`${task}\n${sampleId}`, tokens]));
  return records.flatMap(({ task, sampleId, tokens }) => {
    const other = tokensOf.get(`${task}\n${sampleId}`);
    if (other === undefined) return [];
    return [other.length === tokens.length && other.every((token, i) => token === tokens[i]) ? 1 : 0];
  });
}

function driftRow(row: ScoredRow, partner: ScoredRow): TableRow {
  const same = sameAnswers(row.records, partner.records);
  const pairs = pairRecords({ records: row.records, full: partner.records, scoring: row.scoring });
  const differences = pairs.map(({ difference }) => difference);
  const { low, high } = bootstrapInterval({ values: differences, seed });
  const values: TableValue[] = [
    ...cellValues(row, same.length),
    same.length === 0 ? null : points(pairwiseMean(same))!,
    differences.length === 0 ? null : points(pairwiseMean(differences))!,
    points(low)!,
    points(high)!,
    differences.filter((difference) => difference > 0).length,
    differences.filter((difference) => difference < 0).length,
  ];
  return { values, flagged: low > 0 || high < 0 };
}

/** What quantisation changes: every quantised cell beside the same cell in float32. */
export function driftTable({ rows, legend }: Report): Table {
  const found = rows.flatMap((row) => {
    if (unquantisedName(row.cell.method) === null) return [];
    const partner = partnerOf(row, rows);
    return partner === undefined ? [] : [driftRow(row, partner)];
  });
  return {
    name: 'drift',
    title: 'What quantisation changes',
    notes: [
      'Beside the same method, budget and protocol in float32, on the same samples: answers that are the same token by token, and score less its score (points, all samples pooled, bootstrap 95 %); marked where the interval leaves out 0.',
      'Better, worse = samples scored above and below float32.',
    ],
    legend,
    columns: [
      ...cellColumns,
      { header: 'same answer %', kind: 'number', decimals: 1 },
      { header: 'difference', kind: 'number', decimals: 2, signed: true },
      { header: 'low', kind: 'number', decimals: 2, signed: true },
      { header: 'high', kind: 'number', decimals: 2, signed: true },
      { header: 'better', kind: 'number' },
      { header: 'worse', kind: 'number' },
    ],
    rows: found,
  };
}
