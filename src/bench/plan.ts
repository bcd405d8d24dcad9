import { budgetName } from '../config/budget.js';
import type { FirstToken, Scoring, Semantics } from '../config/protocols.js';
import type { RunConfig } from '../config/run-config.js';
import type { Budget } from '../core/budget.js';
import { seededRandom, shuffled } from '../core/seeded-random.js';
import type { Sample } from '../milebench/annotation.js';
import type { Task } from '../milebench/dataset.js';
import type { Cell } from './record.js';

/** The method that keeps everything: it takes no budget, and what compression costs is measured against it. */
const fullMethod = 'full';

/** Whether a cell is the full cache as prefill made it, the baseline. */
export function isFullCell({ method }: Pick<Cell, 'method'>): boolean {
  return method === fullMethod;
}

/** Whether a method keeps all rows, quantised (`full+int8`) or not, so that it takes no budget. */
function keepsAll(method: string): boolean {
  return method === fullMethod || method.startsWith(`${fullMethod}+`);
}

export interface PlannedTask {
  readonly task: Task;
  /** The samples to run, in the order of the annotation. */
  readonly samples: readonly Sample[];
}

export interface BenchPlan {
  readonly cells: readonly Cell[];
  readonly tasks: readonly PlannedTask[];
  /** Protocols the tables show; the full cache appears under each. */
  readonly firstTokens: readonly FirstToken[];
  /** The scores that tables show. */
  readonly scoring: Scoring;
}

type Grid = Pick<RunConfig, 'methods' | 'budgets'> & {
  readonly semantics: readonly Semantics[];
  readonly firstTokens: readonly FirstToken[];
};

/**
 * The columns of the grid, without repetitions: the full cache once, then methods × semantics × budgets × protocols in
 * the order given. The full cache answers alike under all semantics and both protocols (nothing is compressed before
 * the last token), so it runs under the first semantics and `prefill` only.
 */
export function planCells({ methods, budgets, firstTokens, semantics }: Grid): Cell[] {
  const cells: Cell[] = [];
  const [first] = semantics;
  if (methods.includes(fullMethod) && first !== undefined) {
    cells.push({ method: fullMethod, semantics: first, budget: null, firstToken: 'prefill' });
  }
  for (const method of new Set(methods)) {
    if (method === fullMethod) continue;
    for (const each of new Set(semantics)) {
      for (const budget of keepsAll(method) ? [null] : distinctBudgets(budgets)) {
        for (const firstToken of new Set(firstTokens)) {
          cells.push({ method, semantics: each, budget, firstToken });
        }
      }
    }
  }
  return cells;
}

/** `20%` and `0.1+0.1` are one budget. */
function distinctBudgets(budgets: readonly Budget[]): Budget[] {
  return [...new Map(budgets.map((budget) => [budgetName(budget), budget])).values()];
}

/**
 * The samples of a task under a limit. With a seed and more samples than the limit, the first `limit` of a shuffle;
 * without a seed the first `limit` of the annotation; either way in the order of the annotation, and a larger limit
 * contains a smaller one.
 */
export function chooseSamples(
  samples: readonly Sample[],
  { limit, seed }: Pick<RunConfig, 'limit' | 'seed'>,
): readonly Sample[] {
  if (limit === null || limit >= samples.length) return samples;
  if (seed === null) return samples.slice(0, limit);
  const chosen = new Set(shuffled(samples, seededRandom(seed)).slice(0, limit));
  return samples.filter((sample) => chosen.has(sample));
}

/** What a run will do: its cells and the samples of each task. Reads nothing and runs nothing. */
export function planBench({
  config,
  tasks,
}: {
  readonly config: RunConfig;
  readonly tasks: readonly Task[];
}): BenchPlan {
  const { methods, budgets, semantics, limit, seed } = config;
  const firstTokens = [...new Set(config['first-token'])];
  return {
    cells: planCells({ methods, budgets, firstTokens, semantics }),
    tasks: tasks.map((task) => ({ task, samples: chooseSamples(task.samples, { limit, seed }) })),
    firstTokens,
    scoring: config.scoring,
  };
}

/** Prompt tokens the plan prefills: one prefill a sample, whatever the number of cells. */
export function prefillTokens(plan: BenchPlan, lengthOf: (task: Task, sample: Sample) => number): number {
  let tokens = 0;
  for (const { task, samples } of plan.tasks) for (const sample of samples) tokens += lengthOf(task, sample);
  return tokens;
}
