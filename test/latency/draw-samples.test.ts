import { beforeAll, describe, expect, it } from 'vitest';
import type { BenchPlan } from '../../src/bench/plan.js';
import { drawSamples } from '../../src/latency/draw-samples.js';
import { writeTask } from '../bench/fake-run.js';
import { sharedDirectory } from '../support/shared-directory.js';

let plan: BenchPlan;
beforeAll(async () => {
  const root = sharedDirectory();
  const tasks = [await writeTask(root, 'One', 5), await writeTask(root, 'Two', 7)];
  plan = {
    cells: [],
    tasks: tasks.map((task) => ({ task, samples: task.samples })),
    firstTokens: ['cache'],
    scoring: 'release',
  };
});

const namesOf = ({ tasks }: BenchPlan): string[] =>
  tasks.flatMap(({ task, samples }) => samples.map(({ sampleId }) => `${task.info.name} ${sampleId}`));

describe('samples of all tasks together', () => {
  it('are all, without a number', () => {
    expect(drawSamples(plan, { samples: null, seed: 3 })).toBe(plan);
    expect(namesOf(drawSamples(plan, { samples: 99, seed: 3 }))).toEqual(namesOf(plan));
  });

  it('are drawn with the seed, in the order of the plan, a smaller draw being part of a larger one', () => {
    const six = namesOf(drawSamples(plan, { samples: 6, seed: 3 }));
    expect(six).toHaveLength(6);
    expect(six).toEqual(namesOf(plan).filter((name) => six.includes(name)));
    expect(namesOf(drawSamples(plan, { samples: 6, seed: 3 }))).toEqual(six);
    expect(namesOf(drawSamples(plan, { samples: 6, seed: 4 }))).not.toEqual(six);
    for (const name of namesOf(drawSamples(plan, { samples: 2, seed: 3 }))) expect(six).toContain(name);
  });

  it('are the first ones without a seed, and leave out tasks that none is left of', () => {
    const few = drawSamples(plan, { samples: 3, seed: null });
    expect(namesOf(few)).toEqual(['One 0', 'One 1', 'One 2']);
    expect(few.tasks).toHaveLength(1);
  });
});
