import { noNeeds, type StatisticNeeds, unionOfNeeds } from '../core/attention-statistics.js';
import type { Budget } from '../core/budget.js';
import { type CacheType, rowBytes, scaleBytes } from '../core/cache-buffers.js';
import type { BoundComposition } from './composition.js';
import type { Quantise } from './quantise/quantise.js';
import { type RowBudget, rowBudget } from './row-budget.js';
import type { Chosen } from './stage.js';

/** When a policy leaves a layer as it is, whatever its stages say. */
export interface Frame {
  /** Whether prompts without an image are compressed. */
  readonly textPrompts: 'compressed' | 'left alone';
  /** The longest prompt that is left alone. */
  readonly leavesAlone: 'up to the budget' | 'below the budget';
  /** What is left where both parts of the budget come to no row. */
  readonly zeroBudget: 'empty cache' | 'full cache';
}

/** The release compresses only prompts with an image (modify_llama.py:1417) that exceed the budget (:272). */
export const releaseFrame: Frame = Object.freeze({
  textPrompts: 'left alone',
  leavesAlone: 'up to the budget',
  zeroBudget: 'empty cache',
});

/** The equations know no such condition: whatever exceeds the budget is compressed to it. */
export const paperFrame: Frame = Object.freeze({
  textPrompts: 'compressed',
  leavesAlone: 'up to the budget',
  zeroBudget: 'empty cache',
});

/** What a reader must know of a policy on a prompt that it compresses, or null. */
export type Remark = (about: { readonly length: number; readonly budget: RowBudget }) => string | null;

/** What to do with a layer, ready to run. Equal ids compute the same. */
export type Policy = FullPolicy | CompressingPolicy;

interface PolicyBase {
  readonly id: string;
  /** How the rows are stored while decoding; `null` = as they are. */
  readonly quantise: Chosen<Quantise> | null;
}

export interface FullPolicy extends PolicyBase {
  readonly kind: 'full';
}

export interface CompressingPolicy extends PolicyBase {
  readonly kind: 'compress';
  readonly composition: BoundComposition;
  readonly frame: Frame;
  readonly remark: Remark;
  /** The policy whose number of rows this one gets instead of its own budget's. */
  readonly matches: CompressingPolicy | null;
}

/** The policy with its rows stored in another way. */
export function quantisedPolicy<P extends Policy>(policy: P, quantise: Chosen<Quantise>): P {
  if (policy.quantise?.id === quantise.id) return policy;
  return { ...policy, id: `${policy.id}, ${quantise.id}`, quantise };
}

/** Element type of the rows that decoding starts from. */
export function cacheTypeOf({ quantise }: Policy): CacheType {
  return quantise?.rule.type ?? 'float32';
}

/** Where a policy runs: a layer of a model, and how much of the prompt compression sees. */
export interface PolicyPlace {
  readonly layer: number;
  readonly layers: number;
  /** Key/value heads. */
  readonly heads: number;
  readonly headDim: number;
  readonly length: number;
}

/** The rows that a budget allows in one layer under the policy's allocation. */
export function allocatedRows(policy: CompressingPolicy, budget: Budget, place: PolicyPlace): RowBudget {
  const { layers, heads, headDim } = place;
  const type = cacheTypeOf(policy);
  const positionBytes = layers * rowBytes({ heads, headDim }, type);
  const fixedBytes = layers * scaleBytes({ heads, headDim }, type);
  const rows = rowBudget(budget, { ...place, positionBytes, fixedBytes });
  return policy.composition.allocate.rule.rows(rows, place);
}

/** What prefill has to record in one layer for a policy. */
export function policyNeeds(policy: Policy, budget: Budget | null, place: PolicyPlace): StatisticNeeds {
  if (policy.kind === 'full' || budget === null) return noNeeds;
  const { score, select } = policy.composition;
  const { length } = place;
  const rows = select.rule.window(allocatedRows(policy.matches ?? policy, budget, place));
  const needs = [score.rule.needs(length, rows), select.rule.needs(length)];
  if (policy.matches !== null) needs.push(policyNeeds(policy.matches, budget, place));
  return unionOfNeeds(needs);
}

/** Whether a policy draws random numbers, so that its results belong to a seed. */
export function drawsAtRandom(policy: Policy): boolean {
  if (policy.kind === 'full') return false;
  return policy.composition.score.rule.random || (policy.matches !== null && drawsAtRandom(policy.matches));
}

/** The numbers of layers that a policy's allocations are made for; none where any number will do. */
export function allocatedLayers(policy: Policy): number[] {
  if (policy.kind === 'full') return [];
  const { layers } = policy.composition.allocate.rule;
  return [
    ...(layers === null ? [] : [layers]),
    ...(policy.matches === null ? [] : allocatedLayers(policy.matches)),
  ];
}
