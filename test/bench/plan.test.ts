import { readFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chooseTasks } from '../../src/bench/choose-tasks.js';
import { knownMethods } from '../../src/bench/known-methods.js';
import { chooseSamples, planBench, planCells, prefillTokens } from '../../src/bench/plan.js';
import type { Cell } from '../../src/bench/record.js';
import { budgetName } from '../../src/config/budget.js';
import { readConfig } from '../../src/config/read-config.js';
import { listTasks, loadTask, type Task, type TaskInfo } from '../../src/milebench/dataset.js';
import { requireBudget } from '../support/require-budget.js';
import { config, scratch, writeTask } from './fake-run.js';

const packageRoot = path.resolve(import.meta.dirname, '../..');

const grid = {
  methods: ['full', 'h2o', 'look-m-tp-p'],
  budgets: [requireBudget('20%', ''), requireBudget('5%', '')],
  firstTokens: ['prefill', 'cache'],
  semantics: ['release'],
} as const;

function cellName({ method, budget, firstToken }: Cell): string {
  return `${method} ${budget && budgetName(budget)} ${firstToken}`;
}

describe('the cells of a plan', () => {
  test('are the full cache once, then methods × budgets × protocols', () => {
    const names = planCells({ ...grid, methods: [...grid.methods], budgets: [...grid.budgets] }).map(
      cellName,
    );
    expect(names).toEqual([
      'full null prefill',
      'h2o 20% prefill',
      'h2o 20% cache',
      'h2o 5% prefill',
      'h2o 5% cache',
      'look-m-tp-p 20% prefill',
      'look-m-tp-p 20% cache',
      'look-m-tp-p 5% prefill',
      'look-m-tp-p 5% cache',
    ]);
  });

  test('of several semantics go through them method by method, the full cache under the first alone', () => {
    const cells = planCells({
      ...grid,
      methods: ['h2o', 'full', 'look-m-tp-p'],
      budgets: ['512tok', '64MiB'].map((text) => requireBudget(text, '')),
      firstTokens: ['cache'],
      semantics: ['paper', 'release', 'paper'],
    });
    expect(cells.map((cell) => `${cell.semantics} ${cellName(cell)}`)).toEqual([
      'paper full null prefill',
      'paper h2o 512tok cache',
      'paper h2o 64MiB cache',
      'release h2o 512tok cache',
      'release h2o 64MiB cache',
      'paper look-m-tp-p 512tok cache',
      'paper look-m-tp-p 64MiB cache',
      'release look-m-tp-p 512tok cache',
      'release look-m-tp-p 64MiB cache',
    ]);
  });

  test('run the full cache under prefill also when only the other protocol is shown', () => {
    const cells = planCells({ ...grid, methods: ['full'], budgets: [], firstTokens: ['cache'] });
    expect(cells).toEqual([{ method: 'full', semantics: 'release', budget: null, firstToken: 'prefill' }]);
  });

  test('do not repeat what is written twice or in two ways', () => {
    const budgets = ['20%', '0.1+0.1', '20%'].map((text) => requireBudget(text, ''));
    const cells = planCells({
      ...grid,
      methods: ['h2o', 'full', 'h2o', 'full'],
      budgets,
      firstTokens: ['cache', 'cache'],
    });
    expect(cells.map(({ method }) => method)).toEqual(['full', 'h2o']);
  });

  test('keep budgets of equal numbers and another kind apart', () => {
    const budgets = ['1tok+1tok', '1B+1B', '2tok'].map((text) => requireBudget(text, ''));
    const cells = planCells({ ...grid, methods: ['h2o'], budgets, firstTokens: ['cache'] });
    expect(cells.map(cellName)).toEqual(['h2o 2tok cache', 'h2o 2B cache']);
  });
});

test('the plan of the quickstart has nine cells on eleven tasks of thirty samples', async () => {
  const file = 'configs/quickstart.yaml';
  const text = await readFile(path.join(packageRoot, file), 'utf8');
  const quickstart = readConfig({ text, file, known: knownMethods }).config;
  const infos = await listTasks(path.join(packageRoot, quickstart.dataset.root));
  const plan = planBench({ config: quickstart, tasks: await Promise.all(infos.map(loadTask)) });
  expect(plan.cells).toHaveLength(9);
  expect(plan.tasks.map(({ samples }) => samples.length)).toEqual(Array.from({ length: 11 }, () => 30));
  expect(plan.firstTokens).toEqual(['prefill', 'cache']);
});

describe('the samples of a task', () => {
  async function samples(count: number): Promise<Task['samples']> {
    return (await writeTask(await scratch(), 'Things', count)).samples;
  }

  test('are all of them, in order, when the limit does not bite', async () => {
    const all = await samples(5);
    expect(chooseSamples(all, { limit: null, seed: 1 })).toEqual(all);
    expect(chooseSamples(all, { limit: 5, seed: 1 })).toEqual(all);
  });

  test('are the first ones under a limit without a seed', async () => {
    const all = await samples(5);
    expect(chooseSamples(all, { limit: 2, seed: null })).toEqual(all.slice(0, 2));
  });

  test('are drawn by the seed, keep their order, and grow with the limit', async () => {
    const all = await samples(20);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 19 }), fc.nat(), (limit, seed) => {
        const chosen = chooseSamples(all, { limit, seed });
        expect(chosen).toHaveLength(limit);
        expect(chosen).toEqual(all.filter((sample) => chosen.includes(sample)));
        expect(chooseSamples(all, { limit, seed })).toEqual(chosen);
        expect(chooseSamples(all, { limit: limit + 1, seed })).toEqual(expect.arrayContaining([...chosen]));
      }),
      { numRuns: 50 },
    );
    const draws = [1, 2, 3, 4].map((seed) => chooseSamples(all, { limit: 5, seed }));
    expect(new Set(draws.map((draw) => draw.map(({ sampleId }) => sampleId).join())).size).toBeGreaterThan(1);
  });
});

test('a plan counts one prefill a sample, whatever the number of cells', async () => {
  const root = await scratch();
  const tasks = [await writeTask(root, 'Things', 3), await writeTask(root, 'Places', 4)];
  const plan = planBench({ config: { ...config, limit: 3 }, tasks });
  expect(plan.cells).toHaveLength(3);
  expect(prefillTokens(plan, (task) => (task.info.name === 'Things' ? 100 : 10))).toBe(330);
});

describe('choosing tasks', () => {
  const info = (name: string, column: string): TaskInfo => {
    return { name, column, metric: 'accuracy', definedBy: 'taxonomy', annotationFile: '', imageDir: '' };
  };
  const tasks = [info('ActionSequence', 'T-1'), info('ActionPrediction', 'T-1'), info('IEdit', 'S-3')];
  const where = (index: number): string => `my.yaml: dataset.tasks[${index}]`;

  test('takes names and columns, each dataset once, in the order of the root', () => {
    const chosen = chooseTasks(tasks, { names: ['IEdit', 'T-1', 'ActionPrediction'], where });
    expect(chosen.map(({ name }) => name)).toEqual(['ActionSequence', 'ActionPrediction', 'IEdit']);
    expect(chooseTasks(tasks, { names: 'all', where })).toEqual(tasks);
  });

  test('says where an unknown name stands and what was meant', () => {
    expect(() => chooseTasks(tasks, { names: ['T-1', 'IEdits'], where })).toThrow(
      'my.yaml: dataset.tasks[1]: unknown task or column "IEdits"; did you mean IEdit? `lookm list tasks` shows all',
    );
  });
});
