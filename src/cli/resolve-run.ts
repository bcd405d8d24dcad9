import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { chooseTasks } from '../bench/choose-tasks.js';
import { knownMethods } from '../bench/known-methods.js';
import { type BenchPlan, planBench } from '../bench/plan.js';
import type { RunOverrides } from '../config/overrides.js';
import { type LocatedConfig, readConfig } from '../config/read-config.js';
import { messageOf, UserError } from '../core/errors.js';
import { drawSamples } from '../latency/draw-samples.js';
import { listTasks, loadTask, type Task, type TaskInfo } from '../milebench/dataset.js';
import { resolveDataset } from './resolve-asset.js';
import { type ResolvedBackbone, resolveBackbone } from './resolve-backbone.js';
import type { Shell } from './shell.js';

/** Run file of `lookm bench` without flags, in the package. */
export const defaultConfig = 'configs/quickstart.yaml';

/** What the command line says of a run. */
export interface RunRequest extends RunOverrides {
  readonly config?: string | undefined;
}

/** A run with every name in it looked up. */
export interface ResolvedRun {
  readonly located: LocatedConfig;
  readonly backbone: ResolvedBackbone;
  readonly datasetTasks: readonly TaskInfo[];
  readonly plan: BenchPlan;
  /** Absolute, and as it is shown. */
  readonly out: string;
  readonly shownOut: string;
}

async function readRunFile(
  options: RunRequest,
  shell: Shell,
): Promise<LocatedConfig & { readonly name: string }> {
  const file = options.config ?? defaultConfig;
  const root = options.config === undefined ? shell.packageRoot : shell.cwd;
  const text = await readFile(path.resolve(root, file), 'utf8').catch((cause: unknown) => {
    const what = `the run file cannot be read (${messageOf(cause)})`;
    throw new UserError({ what, where: file, fix: 'give its path with --config' }, { cause });
  });
  return {
    ...readConfig({ text, file, known: knownMethods, overrides: options }),
    name: path.parse(file).name,
  };
}

/**
 * Reads a run file with the flags that override it and looks up every name in it.
 *
 * @throws UserError, with file, line and column where it can, when something is not there or not right
 */
export async function resolveRun(options: RunRequest, shell: Shell): Promise<ResolvedRun> {
  const { name, ...located } = await readRunFile(options, shell);
  const { config, where } = located;
  const backbone = await resolveBackbone({ ...config, where }, shell);
  const rootWhere = where(['dataset', 'root']);
  const root = await resolveDataset(config.dataset.root, { where: rootWhere, shell });
  const datasetTasks = await listTasks(root);
  const chosen = chooseTasks(datasetTasks, {
    names: config.dataset.tasks,
    where: (index) => where(['dataset', 'tasks', index]),
  });
  const tasks: Task[] = [];
  for (const info of chosen) tasks.push(await loadTask(info));
  const shownOut = config.out ?? path.join('results', name);
  const out = path.resolve(shell.cwd, shownOut);
  const plan = planBench({ config, tasks });
  return {
    located,
    backbone,
    datasetTasks,
    plan: drawSamples(plan, { samples: config.latency?.samples ?? null, seed: config.seed }),
    out,
    shownOut,
  };
}
