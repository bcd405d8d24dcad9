import { sha256 } from '../../core/content-hash.js';
import { UserError } from '../../core/errors.js';
import { groupBy } from '../../core/group-by.js';
import { type QuantityLevel, quantityLevels } from '../quantity-level.js';
import { compareColumns } from '../taxonomy.js';
import { allocateProportionally } from './allocate.js';

/** A sample that can be chosen. */
export interface Candidate {
  readonly dataset: string;
  readonly column: string;
  readonly sampleId: string;
  readonly quantityLevel: QuantityLevel;
}

/** How many samples: of all datasets together, or of each. */
export type SubsetAmount =
  | { readonly kind: 'total'; readonly samples: number }
  | { readonly kind: 'per-dataset'; readonly samples: number };

export interface SubsetRule {
  readonly amount: SubsetAmount;
  readonly seed: number;
  /** Keeps the proportions of columns and quantity levels. */
  readonly stratify: boolean;
}

/** Changes when the same rule would choose other samples. */
export const subsetRuleVersion = 1;

/**
 * Chooses samples by the rank of a hash of seed, dataset and id, so that neither machine nor order matters. The answer
 * keeps the order of the candidates. Without strata a smaller subset is part of every larger one of the same seed.
 * With strata each (column, level) has its share of the samples by largest remainders, at least one where that is
 * possible; per dataset the strata are its levels.
 * Datasets smaller than what is asked of each are taken whole.
 * Throws a `UserError` when fewer samples are there than asked for in all.
 */
export function chooseSubset<Item extends Candidate>(
  candidates: readonly Item[],
  { amount, seed, stratify }: SubsetRule,
): Item[] {
  const ranked = candidates
    .map((candidate) => ({ candidate, rank: rankOf(candidate, seed) }))
    .sort((a, b) => (a.rank < b.rank ? -1 : 1))
    .map(({ candidate }) => candidate);
  const take = stratify ? takeFromStrata : takeFirst;
  if (amount.kind === 'total' && amount.samples > candidates.length) {
    const what = `asks for ${amount.samples} samples, and ${candidates.length} can be used`;
    throw new UserError({ what, where: '--samples', fix: 'ask for fewer' });
  }
  const pools = amount.kind === 'total' ? [ranked] : [...groupBy(ranked, ({ dataset }) => dataset).values()];
  const chosen = new Set(pools.flatMap((pool) => take(pool, Math.min(amount.samples, pool.length))));
  return candidates.filter((candidate) => chosen.has(candidate));
}

function rankOf({ dataset, sampleId }: Candidate, seed: number): string {
  return sha256(JSON.stringify([seed, dataset, sampleId]));
}

function takeFirst<Item>(ranked: readonly Item[], samples: number): readonly Item[] {
  return ranked.slice(0, samples);
}

function takeFromStrata<Item extends Candidate>(ranked: readonly Item[], samples: number): readonly Item[] {
  const strata = [...groupBy(ranked, stratumOf).values()].sort(([a], [b]) => compareStrata(a!, b!));
  const shares = allocateProportionally(
    strata.map((stratum) => stratum.length),
    samples,
  );
  return strata.flatMap((stratum, index) => stratum.slice(0, shares[index]!));
}

function stratumOf({ column, quantityLevel }: Candidate): string {
  return JSON.stringify([column, quantityLevel]);
}

function compareStrata(a: Candidate, b: Candidate): number {
  const levels = quantityLevels.indexOf(a.quantityLevel) - quantityLevels.indexOf(b.quantityLevel);
  return compareColumns(a.column, b.column) || levels;
}
