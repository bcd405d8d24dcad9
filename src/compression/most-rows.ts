import type { Budget } from '../core/budget.js';
import { allocatedRows, type Policy, type PolicyPlace } from './policy.js';
import { tiers } from './prior/prior.js';
import { totalRows } from './row-budget.js';

/**
 * The most rows that a policy keeps in a layer, known before there are scores: the whole prompt where it may be left
 * alone, else the rows of the budget and every position that the prior keeps beyond it.
 *
 * @param modality [at least length], 1 where the position is an image token
 */
export function mostRows(
  policy: Policy,
  budget: Budget | null,
  place: PolicyPlace,
  modality: Uint8Array,
): number {
  const { length } = place;
  if (policy.kind === 'full' || budget === null) return length;
  if (policy.matches !== null) return mostRows(policy.matches, budget, place, modality);
  const { frame, composition } = policy;
  const own = modality.subarray(0, length);
  const allocated = allocatedRows(policy, budget, place);
  const total = totalRows(allocated);
  if (total >= length) return length;
  if (frame.textPrompts === 'left alone' && !own.includes(1)) return length;
  if (frame.zeroBudget === 'full cache' && total === 0) return length;
  const tier = composition.prior.rule({ length, modality: own });
  const always = tier.reduce((count, one) => count + (one === tiers.always ? 1 : 0), 0);
  const { recent } = composition.select.rule.window(allocated);
  return Math.min(length, Math.max(total, recent + always));
}
