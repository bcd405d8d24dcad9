import { percentileInterval, resampledMeans } from '../core/bootstrap.js';
import { sha256 } from '../core/content-hash.js';
import { groupBy } from '../core/group-by.js';
import type { Interval } from '../core/interval.js';
import { pairwiseMean } from '../core/pairwise-mean.js';
import { wilsonInterval } from '../core/wilson-interval.js';

/** The samples of one dataset that an estimate rests on. */
export interface Stratum {
  readonly name: string;
  /** The task column it belongs to. */
  readonly column: string;
  /** `proportion`: every value is 0 or 1. */
  readonly kind: 'proportion' | 'amount';
  /** One a sample, in the order of the sample ids. */
  readonly values: Float64Array;
}

export interface Estimate {
  /** Samples it rests on. */
  readonly n: number;
  readonly value: number;
  /** 95 %; `null` where a dataset has a single sample, which says nothing of its spread. */
  readonly interval: Interval | null;
}

/** What one row of a table needs: every estimate is a mean of means. */
export interface Estimates {
  readonly strata: ReadonlyMap<string, Estimate>;
  /** Means over the strata of a column. */
  readonly columns: ReadonlyMap<string, Estimate>;
  /** Mean over the columns; `null` without any. */
  readonly mean: Estimate | null;
}

/** An estimate with what a mean over it is estimated from. */
interface Resampled extends Estimate {
  /** `proportion`: made of right-or-wrong answers alone. */
  readonly kind: Stratum['kind'];
  readonly resampled: Float64Array | null;
}

/** A dataset is resampled alike in every report and beside whatever others. */
function seedOf(name: string): number {
  return Number.parseInt(sha256(name).slice(0, 8), 16);
}

/** Strata of the same name and size are resampled together: rows of a table see the same resamples. */
function resampleStrata(strata: readonly Stratum[]): Map<Stratum, Float64Array> {
  const resampled = new Map<Stratum, Float64Array>();
  const several = strata.filter(({ values }) => values.length > 1);
  for (const together of groupBy(several, ({ name, values }) => `${values.length} ${name}`).values()) {
    const means = resampledMeans({
      series: together.map(({ values }) => values),
      seed: seedOf(together[0]!.name),
    });
    for (const [i, stratum] of together.entries()) resampled.set(stratum, means[i]!);
  }
  return resampled;
}

function estimateStratum({ kind, values }: Stratum, resampled: Float64Array | null): Resampled {
  const n = values.length;
  const value = pairwiseMean(values);
  if (kind === 'proportion') {
    return { kind, n, value, interval: wilsonInterval({ successes: value * n, trials: n }), resampled };
  }
  return { kind, n, value, interval: resampled && percentileInterval(resampled), resampled };
}

/** The mean of every resample over the parts; `null` when one of them has none. */
function averaged(parts: readonly Resampled[]): Float64Array | null {
  const mean = new Float64Array(parts[0]?.resampled?.length ?? 0);
  for (const { resampled } of parts) {
    if (resampled === null) return null;
    for (let i = 0; i < mean.length; i++) mean[i]! += resampled[i]! / parts.length;
  }
  return mean;
}

/**
 * Bounds of a mean of independent parts from the bounds of each: the distances to them are added as variances are.
 * Unlike a bootstrap it stays honest where all answers of all parts are alike. Source: Zou & Donner 2008 (MOVER).
 */
function combinedInterval(value: number, parts: readonly Estimate[]): Interval | null {
  let below = 0;
  let above = 0;
  for (const part of parts) {
    if (part.interval === null) return null;
    below += (part.value - part.interval.low) ** 2;
    above += (part.interval.high - part.value) ** 2;
  }
  return {
    low: value - Math.sqrt(below) / parts.length,
    high: value + Math.sqrt(above) / parts.length,
  };
}

/** The mean over parts, each resampled within itself. One part is its own mean. */
function meanOfParts(parts: readonly Resampled[]): Resampled {
  if (parts.length === 1) return parts[0]!;
  const kind = parts.every((part) => part.kind === 'proportion') ? 'proportion' : 'amount';
  const value = pairwiseMean(parts.map((part) => part.value));
  const resampled = averaged(parts);
  const bootstrapped = resampled && percentileInterval(resampled);
  const interval = kind === 'proportion' ? combinedInterval(value, parts) : bootstrapped;
  return { kind, n: parts.reduce((total, { n }) => total + n, 0), value, interval, resampled };
}

/**
 * Means of datasets, columns and all columns for several rows at once.
 * Intervals: Wilson for proportions, combined where several are averaged; otherwise the percentile bootstrap,
 * stratified: the samples of every dataset are drawn anew within it, and the mean of means is taken of each such draw.
 */
export function estimateRows(rows: readonly (readonly Stratum[])[]): Estimates[] {
  const resampled = resampleStrata(rows.flat());
  return rows.map((strata) => {
    const parts = strata.map((stratum) => ({
      ...stratum,
      ...estimateStratum(stratum, resampled.get(stratum) ?? null),
    }));
    const columns = new Map(
      [...groupBy(parts, ({ column }) => column)].map(([column, own]) => [column, meanOfParts(own)]),
    );
    return {
      strata: new Map(parts.map((part) => [part.name, part])),
      columns,
      mean: columns.size === 0 ? null : meanOfParts([...columns.values()]),
    };
  });
}
