import type { BenchPlan } from '../bench/plan.js';
import { seededRandom, shuffled } from '../core/seeded-random.js';

/**
 * A plan with so many of its samples, drawn from all tasks together: the first ones of a shuffle with the seed, or of the
 * plan without one. Tasks that none is left of are left out.
 */
export function drawSamples(
  plan: BenchPlan,
  { samples: wanted, seed }: { readonly samples: number | null; readonly seed: number | null },
): BenchPlan {
  if (wanted === null) return plan;
  const all = plan.tasks.flatMap(({ samples }) => samples);
  const order = seed === null ? all : shuffled(all, seededRandom(seed));
  const chosen = new Set(order.slice(0, wanted));
  const tasks = plan.tasks.map(({ task, samples }) => ({
    task,
    samples: samples.filter((sample) => chosen.has(sample)),
  }));
  return { ...plan, tasks: tasks.filter(({ samples }) => samples.length > 0) };
}
