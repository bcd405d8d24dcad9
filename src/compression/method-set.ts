import { invariant, type Problem, UserError } from '../core/errors.js';
import { nearMatches } from '../core/near-matches.js';
import { type BoundComposition, bindComposition } from './composition.js';
import type { Method } from './method.js';
import {
  type CompressingPolicy,
  type Frame,
  type Policy,
  paperFrame,
  quantisedPolicy,
  type Remark,
  releaseFrame,
} from './policy.js';
import type { Quantise } from './quantise/quantise.js';
import { quantises } from './quantise/registry.js';
import { methods } from './registry.js';
import { type Chosen, chooseStage } from './stage.js';

/** Whose rules a method follows: the published code's, or the paper's. */
export type MethodSemantics = 'release' | 'paper';

/** `matched:<method>` or `matched:<method>/<rule>`: the rule with the number of rows that the method keeps. */
const matched = /^matched:([^/]+)(?:\/([^/]+))?$/;

/** `<method>+<rule>`: the method with its rows stored by a quantise rule. */
const quantisedName = /^(.+)\+([^+]*)$/;

/** The method that a name with the suffix of a quantise rule is made of; `null` without one. */
export function unquantisedName(name: string): string | null {
  return quantisedName.exec(name)?.[1] ?? null;
}

/** Names that can stand in a list of the command line and in `matched:`. */
const ownName = /^[\w.-]+$/;

/** The rule of `matched:<method>` where none is named. */
const matchedRule = 'h2o';

const noRemark: Remark = () => null;

const frames: Readonly<Record<MethodSemantics, Frame>> = { release: releaseFrame, paper: paperFrame };

type Found<T> = { readonly found: T } | { readonly problem: Omit<Problem, 'where'> };

/** What is wrong with a composition of one's own, and with which stage (null: with its name), or null. */
export function compositionProblem(
  name: string,
  composition: Readonly<Record<string, unknown>>,
): { readonly stage: string | null; readonly problem: Omit<Problem, 'where'> } | null {
  if (Object.hasOwn(methods, name) || !ownName.test(name)) {
    const fix = 'choose another name, of letters, digits, dots, dashes and underscores';
    return { stage: null, problem: { what: `a composition cannot be called "${name}"`, fix } };
  }
  const bound = bindComposition(composition);
  return 'problem' in bound ? bound : null;
}

/** Methods by name: those of the registry, compositions of one's own, and either of them matched to another's rows. */
export class MethodSet {
  readonly #own = new Map<string, BoundComposition>();
  readonly #policies = new Map<string, Policy>();

  /**
   * @param compositions rules by stage, as a file holds them
   * @throws UserError when a composition's name is taken or a stage of it unknown
   */
  constructor(compositions: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {}) {
    for (const [name, composition] of Object.entries(compositions)) {
      const wrong = compositionProblem(name, composition);
      if (wrong !== null) throw new UserError(wrong.problem);
      const bound = bindComposition(composition);
      invariant('bound' in bound, `composition ${name} was checked`);
      this.#own.set(name, bound.bound);
    }
  }

  /** What is wrong with a method's name, or null. */
  problem(name: string): Omit<Problem, 'where'> | null {
    const result = this.#find(name, 'release');
    return 'problem' in result ? result.problem : null;
  }

  /** @throws UserError with the near matches when the name is unknown */
  policy(name: string, semantics: MethodSemantics): Policy {
    const key = `${semantics} ${name}`;
    const known = this.#policies.get(key);
    if (known !== undefined) return known;
    const result = this.#find(name, semantics);
    if ('problem' in result) throw new UserError(result.problem);
    this.#policies.set(key, result.found);
    return result.found;
  }

  #find(name: string, semantics: MethodSemantics): Found<Policy> {
    const suffixed = quantisedName.exec(name);
    if (suffixed === null) return this.#plain(name, semantics);
    const { chosen, problem } = quantiseRule(suffixed[2]!, name);
    if (chosen === null) return { problem };
    const plain = this.#plain(suffixed[1]!, semantics);
    return 'problem' in plain ? plain : { found: quantisedPolicy(plain.found, chosen) };
  }

  /** A name without the suffix of a quantise rule. */
  #plain(name: string, semantics: MethodSemantics): Found<Policy> {
    const parts = matched.exec(name);
    if (parts === null) return this.#named(name, semantics);
    const target = this.#compressing(parts[1]!, name, semantics);
    if ('problem' in target) return target;
    const rule = this.#compressing(parts[2] ?? matchedRule, name, semantics);
    if ('problem' in rule) return rule;
    const id = `${rule.found.id} with the rows of ${target.found.id}`;
    return { found: { ...rule.found, id, matches: target.found } };
  }

  /** A part of a matched name: anything that has rows of its own to match. */
  #compressing(name: string, whole: string, semantics: MethodSemantics): Found<CompressingPolicy> {
    const result = this.#named(name, semantics);
    if ('problem' in result) return result;
    if (result.found.kind === 'compress') return { found: result.found };
    return {
      problem: { what: `"${whole}": ${name} does not compress`, fix: 'match a method that evicts' },
    };
  }

  #named(name: string, semantics: MethodSemantics): Found<Policy> {
    const own = this.#own.get(name);
    if (own !== undefined) return { found: compressing(own, frames[semantics], noRemark, semantics) };
    const known: Readonly<Record<string, Method>> = methods;
    if (!Object.hasOwn(methods, name)) return { problem: this.#unknown(name) };
    const { definitions } = known[name]!;
    if (definitions === null) return { found: { kind: 'full', id: 'full', quantise: null } };
    const { composition, frame, remark } = definitions[semantics];
    const bound = bindComposition(composition);
    invariant('bound' in bound, `a stage of method ${name} does not exist`);
    return { found: compressing(bound.bound, frame, remark ?? noRemark, semantics) };
  }

  #unknown(name: string): Omit<Problem, 'where'> {
    const near = nearMatches(name, [...Object.keys(methods), ...this.#own.keys()]);
    const hint = near.length > 0 ? `did you mean ${near.join(' or ')}? ` : '';
    return { what: `unknown method "${name}"`, fix: `${hint}\`lookm list methods\` shows all` };
  }
}

function compressing(
  composition: BoundComposition,
  frame: Frame,
  remark: Remark,
  semantics: MethodSemantics,
): CompressingPolicy {
  const conditions = `text prompts ${frame.textPrompts}, left alone ${frame.leavesAlone}, zero budget: ${frame.zeroBudget}`;
  const id = `${semantics}: ${composition.id} (${conditions})`;
  const policy: CompressingPolicy = {
    ...{ kind: 'compress', id, composition, frame, remark },
    quantise: null,
    matches: null,
  };
  const { rule, id: ruleId } = composition.quantise;
  return rule === null ? policy : quantisedPolicy(policy, { id: ruleId, rule });
}

/** The rule that a suffix names. */
function quantiseRule(
  name: string,
  whole: string,
):
  | { readonly chosen: Chosen<Quantise>; readonly problem: null }
  | { readonly chosen: null; readonly problem: Omit<Problem, 'where'> } {
  const found = chooseStage<Quantise | null>(quantises, 'quantise', name);
  if ('problem' in found) {
    const { problem } = found;
    return { chosen: null, problem: { ...problem, what: `"${whole}": ${problem.what}` } };
  }
  const { id, rule } = found.chosen;
  if (rule !== null) return { chosen: { id, rule }, problem: null };
  return { chosen: null, problem: { what: `"${whole}": +${name} changes nothing`, fix: 'leave it out' } };
}
