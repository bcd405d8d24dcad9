import { z } from 'zod';
import type { Problem } from '../core/errors.js';
import { nearMatches } from '../core/near-matches.js';
import { parseBudget } from './budget.js';
import { firstTokenSchema, scoringSchema } from './protocols.js';

/** More answer tokens than any MileBench answer has; also bounds the decode buffers. */
const mostNewTokens = 4096;

/** Longer than the context of any backbone of the paper. */
const longestContext = 1 << 20;

/** MileBench's own limit on answers, where the run file names none. */
const defaultNewTokens = 512;

/** Longest list of tasks, methods or budgets: a grid beyond this is a mistake. */
const longestList = 1000;

/** What a run file may name; `list` is the command that shows all of them. */
export interface KnownNames {
  readonly methods: readonly string[];
}

const text = z.string().min(1);

/** A list, or a single entry written without brackets. */
function listOf<T extends z.ZodType>(entry: T) {
  return z.preprocess(
    (value) => (Array.isArray(value) || value === undefined ? value : [value]),
    z.array(entry).min(1).max(longestList),
  );
}

/** `custom` issues carry the remedy beside the message. */
function report(context: z.RefinementCtx, problem: Omit<Problem, 'where'>): void {
  context.addIssue({ code: 'custom', message: problem.what, params: { fix: problem.fix } });
}

const budgetSchema = z.unknown().transform((value, context) => {
  const parsed = parseBudget(value);
  if ('budget' in parsed) return parsed.budget;
  report(context, parsed.problem);
  return z.NEVER;
});

function methodSchema(known: readonly string[]) {
  return z.string().superRefine((name, context) => {
    if (known.includes(name)) return;
    report(context, {
      what: `unknown method "${name}"`,
      fix: `${suggestion(name, known)}\`lookm list methods\` shows all`,
    });
  });
}

/** `did you mean a or b? `, or nothing. */
export function suggestion(name: string, known: readonly string[]): string {
  const near = nearMatches(name, known);
  return near.length === 0 ? '' : `did you mean ${near.join(' or ')}? `;
}

const datasetShape = {
  /** A name in the package's `datasets/`, or a directory. */
  root: text,
  /** `all`, or names of datasets and columns. */
  tasks: z.preprocess(
    (value) => (typeof value === 'string' && value !== 'all' ? [value] : value),
    z.union([z.literal('all'), z.array(text).min(1).max(longestList)]),
  ),
};

const generationShape = {
  'max-new-tokens': z.int().positive().max(mostNewTokens).default(defaultNewTokens),
};

function runConfigShape({ methods }: KnownNames) {
  return {
    /** A name in the package's `models/`, a bundle directory or a checkpoint directory. */
    backbone: text,
    dataset: z.strictObject(datasetShape),
    methods: listOf(methodSchema(methods)),
    budgets: z.preprocess(
      (value) => (Array.isArray(value) || value === undefined ? value : [value]),
      z.array(budgetSchema).max(longestList).default([]),
    ),
    'first-token': listOf(firstTokenSchema).default(['prefill', 'cache']),
    semantics: z.enum(['release']).default('release'),
    /** Which scores the tables show; both are recorded. */
    scoring: scoringSchema.default('release'),
    /**
     * Tokens of instruction, context and images, the template not counted: MileBench's `max_context_len`. `null` = as
     * many as leave room for template and answer.
     */
    'max-context': z.int().positive().max(longestContext).nullable().default(null),
    /** 1 = all images of a sample combined into one picture (`combined_1_images`); `null` = the images themselves. */
    'combine-images': z.literal(1).nullable().default(null),
    generation: z.strictObject(generationShape).default({ 'max-new-tokens': defaultNewTokens }),
    /** Samples per task; `null` = all. */
    limit: z.int().positive().nullable().default(null),
    /** Draws the samples of a limit; `null` = the first ones. */
    seed: z.int().nonnegative().max(0xffffffff).nullable().default(null),
    /** Run directory; `null` = `results/<name of the run file>`. */
    out: text.nullable().default(null),
  };
}

/** Every key of a run file by the path of the object that holds it. */
export const knownKeys: Readonly<Record<string, readonly string[]>> = Object.freeze({
  '': Object.keys(runConfigShape({ methods: [] })),
  dataset: Object.keys(datasetShape),
  generation: Object.keys(generationShape),
});

/** Schema of a run file: strict, defaults filled in, methods checked against the known names. */
export function runConfigSchema(known: KnownNames) {
  return z.strictObject(runConfigShape(known)).superRefine((config, context) => {
    const evicting = config.methods.find((method) => method !== 'full');
    if (evicting === undefined || config.budgets.length > 0) return;
    context.addIssue({
      code: 'custom',
      path: ['budgets'],
      message: `method ${evicting} needs a budget`,
      params: { fix: 'add budgets: [20%]' },
    });
  });
}

/** A run file as read, with every default filled in. */
export type RunConfig = z.output<ReturnType<typeof runConfigSchema>>;
