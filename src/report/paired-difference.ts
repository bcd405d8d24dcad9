import type { SampleRecord } from '../bench/record.js';
import type { Scoring } from '../config/protocols.js';
import { groupBy } from '../core/group-by.js';
import { mcnemarExact } from '../core/mcnemar.js';
import { findMetric } from '../scoring/registry.js';
import type { Estimate } from './estimates.js';

/** A sample that a cell and the full cache have both answered. */
export interface Pair {
  readonly record: SampleRecord;
  /** Score of the cell less score of the full cache. */
  readonly difference: number;
}

/** How often the answers of two caches were scored unlike. */
export interface Discordance {
  readonly better: number;
  readonly worse: number;
  /** Exact McNemar; `null` unless every answer is either right or wrong. */
  readonly p: number | null;
}

/** Pairs and what follows from them. */
export interface PairedDifference {
  /** Samples of the cell or of the full cache that the other has not answered. */
  readonly unpaired: number;
  /** Column by column; differences in [-1, 1]. */
  readonly columns: ReadonlyMap<string, Estimate & Discordance>;
  /** Mean over the columns, and all pairs together; `null` without pairs. */
  readonly mean: (Estimate & Discordance) | null;
}

function sampleKey({ task, sampleId }: SampleRecord): string {
  return `${task}\n${sampleId}`;
}

/** Pairs records of a cell with those of the full cache by task and sample id, in the order of the cell's. */
export function pairRecords({
  records,
  full,
  scoring,
}: {
  readonly records: readonly SampleRecord[];
  readonly full: readonly SampleRecord[];
  readonly scoring: Scoring;
}): Pair[] {
  const partners = new Map(full.map((record) => [sampleKey(record), record]));
  return records.flatMap((record) => {
    const partner = partners.get(sampleKey(record));
    if (partner === undefined) return [];
    return [{ record, difference: record.scores[scoring].score - partner.scores[scoring].score }];
  });
}

function discordance(pairs: readonly Pair[]): Discordance {
  const better = pairs.filter(({ difference }) => difference > 0).length;
  const worse = pairs.filter(({ difference }) => difference < 0).length;
  const metrics = [...new Set(pairs.map(({ record }) => record.metric))];
  const binary = metrics.every((metric) => findMetric(metric).scale === 'binary');
  return { better, worse, p: binary ? mcnemarExact({ better, worse }) : null };
}

/** Joins the estimates of the differences with their counts. */
export function pairedDifference({
  pairs,
  unpaired,
  columns,
  mean,
}: {
  readonly pairs: readonly Pair[];
  readonly unpaired: number;
  readonly columns: ReadonlyMap<string, Estimate>;
  readonly mean: Estimate | null;
}): PairedDifference {
  const byColumn = groupBy(pairs, ({ record }) => record.column);
  return {
    unpaired,
    columns: new Map(
      [...columns].map(([column, estimate]) => [
        column,
        { ...estimate, ...discordance(byColumn.get(column) ?? []) },
      ]),
    ),
    mean: mean && { ...mean, ...discordance(pairs) },
  };
}
