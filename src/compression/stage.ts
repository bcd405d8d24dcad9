import { z } from 'zod';
import type { Problem } from '../core/errors.js';
import { nearMatches } from '../core/near-matches.js';

/** A rule of a stage as run files and presets name it: `pivotal`, or `{ rule: window, size: 16 }`. */
export type StageChoice = string | ({ readonly rule: string } & Readonly<Record<string, unknown>>);

/** One rule of a stage: what it does, and how it is made from its options. */
export interface Stage<Bound> {
  readonly summary: string;
  /** Options with their defaults, e.g. `size = 32`, or alone where they must be given; empty where there are none. */
  readonly options: string;
  bind(options: unknown): { readonly bound: Bound; readonly shown: string } | { readonly fault: string };
}

/** A rule with its options filled in. Equal ids compute the same. */
export interface Chosen<Bound> {
  readonly id: string;
  readonly rule: Bound;
}

/**
 * Defines a rule.
 *
 * @param version bumped when the same input would give another result; part of the rule's id and of every record's key
 * @param options zod fields with defaults
 */
export function stage<Shape extends z.ZodRawShape, Bound>(definition: {
  readonly summary: string;
  readonly version: number;
  readonly options: Shape;
  readonly bind: (options: z.output<z.ZodObject<Shape>>) => Bound;
}): Stage<Bound> {
  const { summary, version, bind } = definition;
  const schema = z.strictObject(definition.options);
  const shown = (options: object): string =>
    Object.entries(options)
      .map(([name, value]) => `${name} = ${JSON.stringify(value)}`)
      .join(', ');
  const described = Object.entries(definition.options).map(([name, field]) => {
    const fallback = z.safeParse(field, undefined);
    return fallback.success ? shown({ [name]: fallback.data }) : name;
  });
  return {
    summary,
    options: described.join(', '),
    bind: (options) => {
      const parsed = schema.safeParse(options);
      if (!parsed.success) {
        const issue = parsed.error.issues[0]!;
        return { fault: [issue.path.join('.'), issue.message].filter((part) => part !== '').join(': ') };
      }
      const own = shown(parsed.data as object);
      const parts = [`version ${version}`, ...(own === '' ? [] : [own])];
      return { bound: bind(parsed.data as z.output<z.ZodObject<Shape>>), shown: parts.join(', ') };
    },
  };
}

/** A rule without options. */
export function plainStage<Bound>(definition: {
  readonly summary: string;
  readonly version: number;
  readonly rule: Bound;
}): Stage<Bound> {
  const { summary, version, rule } = definition;
  return stage({ summary, version, options: {}, bind: () => rule });
}

const choiceSchema = z.union([
  z.string().transform((rule) => ({ rule })),
  z.looseObject({ rule: z.string() }),
]);

/** Finds the rule that a choice names. Returns the problem instead of throwing, so that the caller can add the place. */
export function chooseStage<Bound>(
  stages: Readonly<Record<string, Stage<Bound>>>,
  kind: string,
  choice: unknown,
): { readonly chosen: Chosen<Bound> } | { readonly problem: Omit<Problem, 'where'> } {
  const parsed = choiceSchema.safeParse(choice);
  if (!parsed.success) {
    const fix = 'write a name or {rule: name, and its options}';
    return { problem: { what: `${JSON.stringify(choice)} names no ${kind} rule`, fix } };
  }
  const { rule: name, ...options } = parsed.data;
  if (!Object.hasOwn(stages, name)) {
    const near = nearMatches(name, Object.keys(stages));
    const hint = near.length > 0 ? `did you mean ${near.join(' or ')}? ` : '';
    const fix = `${hint}\`lookm list stages\` shows all`;
    return { problem: { what: `unknown ${kind} rule "${name}"`, fix } };
  }
  const stage = stages[name]!;
  const bound = stage.bind(options);
  if ('fault' in bound) {
    const known = stage.options === '' ? 'it has no options' : `its options: ${stage.options}`;
    return { problem: { what: `${kind} rule ${name}: ${bound.fault}`, fix: known } };
  }
  return { chosen: { id: `${name} (${bound.shown})`, rule: bound.bound } };
}
