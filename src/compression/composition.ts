import type { Problem } from '../core/errors.js';
import type { Allocate } from './allocate/allocate.js';
import { allocates } from './allocate/registry.js';
import type { MergeRule } from './merge/merge-rule.js';
import { merges } from './merge/registry.js';
import type { Prior } from './prior/prior.js';
import { priors } from './prior/registry.js';
import type { Quantise } from './quantise/quantise.js';
import { quantises } from './quantise/registry.js';
import { scores } from './score/registry.js';
import type { Score } from './score/score.js';
import { selects } from './select/registry.js';
import type { Select } from './select/selection.js';
import { type Chosen, chooseStage, type StageChoice } from './stage.js';

/** The stages of a method in the order they run, with the rules there are for each. */
export const stageRules = Object.freeze({
  score: scores,
  prior: priors,
  select: selects,
  merge: merges,
  quantise: quantises,
  allocate: allocates,
});
export type StageName = keyof typeof stageRules;

/** What a stage does when a composition does not name its rule: together, H2O. */
const defaults = {
  score: 'column-sum',
  prior: 'none',
  select: 'top',
  merge: 'none',
  quantise: 'none',
  allocate: 'uniform',
} as const satisfies Record<StageName, StageChoice>;

/** A method as its stages: score × prior × select × merge × quantise × allocate. */
export type Composition = Readonly<Partial<Record<StageName, StageChoice>>>;

/** A composition with its rules found. Equal ids keep and merge the same. */
export interface BoundComposition {
  readonly id: string;
  readonly score: Chosen<Score>;
  readonly prior: Chosen<Prior>;
  readonly select: Chosen<Select>;
  readonly merge: Chosen<MergeRule | null>;
  readonly quantise: Chosen<Quantise | null>;
  readonly allocate: Chosen<Allocate>;
}

/** What is wrong with a composition: which stage, as written. */
export interface CompositionProblem {
  readonly stage: string;
  readonly problem: Omit<Problem, 'where'>;
}

/** Finds the rules of a composition, or says which stage is wrong. Takes what a file holds under stage names. */
export function bindComposition(
  composition: Readonly<Record<string, unknown>>,
): { readonly bound: BoundComposition } | CompositionProblem {
  const unknown = Object.keys(composition).find((stage) => !Object.hasOwn(stageRules, stage));
  if (unknown !== undefined) {
    const fix = `stages are ${Object.keys(stageRules).join(', ')}`;
    return { stage: unknown, problem: { what: `unknown stage "${unknown}"`, fix } };
  }
  const written: Record<StageName, unknown> = { ...defaults, ...composition };
  const score = chooseStage<Score>(scores, 'score', written.score);
  if ('problem' in score) return { stage: 'score', ...score };
  const prior = chooseStage<Prior>(priors, 'prior', written.prior);
  if ('problem' in prior) return { stage: 'prior', ...prior };
  const select = chooseStage<Select>(selects, 'select', written.select);
  if ('problem' in select) return { stage: 'select', ...select };
  const merge = chooseStage<MergeRule | null>(merges, 'merge', written.merge);
  if ('problem' in merge) return { stage: 'merge', ...merge };
  const quantise = chooseStage<Quantise | null>(quantises, 'quantise', written.quantise);
  if ('problem' in quantise) return { stage: 'quantise', ...quantise };
  const allocate = chooseStage<Allocate>(allocates, 'allocate', written.allocate);
  if ('problem' in allocate) return { stage: 'allocate', ...allocate };
  const chosen = {
    score: score.chosen,
    prior: prior.chosen,
    select: select.chosen,
    merge: merge.chosen,
    allocate: allocate.chosen,
  };
  // What is quantised belongs to the policy, whose id says so: see `Policy`.
  const id = Object.values(chosen)
    .map((rule) => rule.id)
    .join(' × ');
  return { bound: { id, ...chosen, quantise: quantise.chosen } };
}
