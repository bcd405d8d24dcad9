import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { Command, Option } from 'commander';
import { chooseTasks } from '../bench/choose-tasks.js';
import { hashBundle, hashDataset } from '../bench/content-hashes.js';
import { knownMethods } from '../bench/known-methods.js';
import { describeMachine } from '../bench/machine.js';
import { bundleSize, fixedBytes, mostBytes } from '../bench/memory-estimate.js';
import { type BenchPlan, planBench } from '../bench/plan.js';
import { sampleLog } from '../bench/record.js';
import { type BenchProgress, type BenchSummary, runBench } from '../bench/run-bench.js';
import { RunDirectory } from '../bench/run-directory.js';
import { generationSettings, manifestConfig, runIdentity } from '../bench/run-manifest.js';
import { MethodSet } from '../compression/method-set.js';
import { allocatedLayers } from '../compression/policy.js';
import type { RunOverrides } from '../config/overrides.js';
import { type LocatedConfig, readConfig } from '../config/read-config.js';
import { messageOf, UserError } from '../core/errors.js';
import { listTasks, loadTask, type Task, type TaskInfo } from '../milebench/dataset.js';
import { reportTables } from '../report/report-tables.js';
import type { Table } from '../report/table.js';
import { writeTables } from '../report/write-tables.js';
import type { BenchServices } from './bench-services.js';
import { cacheDirectory } from './cache-directory.js';
import { describePlan } from './describe-plan.js';
import { describeRun, runAsJson } from './describe-run.js';
import { exitCodes, packageVersion } from './program.js';
import { openProgress, type Progress } from './progress.js';
import { resolveDataset } from './resolve-asset.js';
import { type ResolvedBackbone, resolveBackbone } from './resolve-backbone.js';
import { describeMemory, memoryOf, requireMemory } from './run-memory.js';
import type { Shell } from './shell.js';

const defaultConfig = 'configs/quickstart.yaml';

const examples = `
Examples:
  $ lookm bench                                       the quickstart, into results/quickstart
  $ lookm bench --limit 5 --seed 1 --out results/try  five samples a task
  $ lookm bench --methods full,h2o --budgets 20%,0.1+0.3 --tasks T-4,PictureNumbers --out results/h2o
  $ lookm bench -c my.yaml --dry-run                  what a run file asks for

The same command continues a run that was cut short and recomputes nothing that is done.
Methods, budgets, semantics, protocols, tasks and limit may change between commands on one run directory.
`;

interface BenchOptions extends RunOverrides {
  readonly config?: string | undefined;
  readonly dryRun?: boolean | undefined;
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
}

/** A run with every name in it looked up. */
interface ResolvedRun {
  readonly located: LocatedConfig;
  readonly backbone: ResolvedBackbone;
  readonly datasetTasks: readonly TaskInfo[];
  readonly tasks: readonly Task[];
  readonly plan: BenchPlan;
  /** Absolute, and as it is shown. */
  readonly out: string;
  readonly shownOut: string;
}

async function readRunFile(
  options: BenchOptions,
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

async function resolveRun(options: BenchOptions, shell: Shell): Promise<ResolvedRun> {
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
  return {
    located,
    backbone,
    datasetTasks,
    tasks,
    plan: planBench({ config, tasks }),
    out,
    shownOut,
  };
}

function visionCacheDirectory(setting: boolean | string, { env, cwd }: Shell): string | null {
  if (typeof setting === 'string') return path.resolve(cwd, setting);
  return setting ? cacheDirectory(env, 'vision') : null;
}

function showProgress(progress: Progress): (event: BenchProgress) => void {
  return (event) => {
    if (event.kind === 'notice') progress.note(event.message);
    if (event.kind === 'opening') progress.update(event.done, event.samples, 'loading the backbone');
    if (event.kind === 'sample') progress.update(event.done, event.samples, event.task);
    if (event.kind === 'failure' && event.samples > 0) progress.update(event.done, event.samples, event.task);
  };
}

/** An allocation by layer is made for one number of layers. */
function refuseOtherLayers({ located, plan }: ResolvedRun, methods: MethodSet, layers: number): void {
  for (const { method, semantics } of plan.cells) {
    const wanted = allocatedLayers(methods.policy(method, semantics)).find((count) => count !== layers);
    if (wanted === undefined) continue;
    throw new UserError({
      what: `method ${method} allocates rows to ${wanted} layers, the backbone has ${layers}`,
      where: located.where(['compositions']),
      fix: 'give a weight to every layer',
    });
  }
}

async function execute(
  run: ResolvedRun,
  services: BenchServices,
  shell: Shell,
  quiet: boolean,
): Promise<{ readonly summary: BenchSummary; readonly tables: readonly Table[] }> {
  const { config, where } = run.located;
  const engine = await services.chooseEngine(config);
  const converting = openProgress(shell, { unit: 'MiB', quiet });
  const bundle = await services.openBundle(run.backbone, {
    where: where(['backbone']),
    progress: converting,
  });
  const threads = config.threads ?? availableParallelism();
  const bundleSha256 = hashBundle(bundle.manifest);
  const datasetSha256 = hashDataset(run.datasetTasks);
  const versions = {
    lookm: await packageVersion(shell.packageRoot),
    onnxruntime: services.runtimeVersion,
    node: process.versions.node,
  };
  const memory = memoryOf({ config, plan: run.plan }, bundleSize(bundle.manifest), services.availableBytes());
  const { estimate, limit } = memory;
  const description = {
    identity: runIdentity({ config, engine, bundleSha256, datasetSha256 }),
    config: manifestConfig(config, { ...engine, threads }),
    versions,
    machine: describeMachine(),
    gitCommit: await services.gitCommit(),
    memory: { estimated: Math.ceil(mostBytes(estimate)), limit: Math.floor(limit) },
  };
  const settings = {
    methods: new MethodSet(config.compositions),
    generation: generationSettings(config, engine),
    seed: config.seed ?? 0,
    threads,
    visionCache: visionCacheDirectory(config['vision-cache'], shell),
    cacheBytes: Math.max(0, limit - fixedBytes(estimate)),
  };
  refuseOtherLayers(run, settings.methods, bundle.manifest.text.layers);
  const directory = await RunDirectory.open(run.out, description, sampleLog, new Date());
  const progress = openProgress(shell, { unit: 'samples', quiet });
  const stopping = new AbortController();
  const forget = shell.onInterrupt(() => {
    progress.note('finishing the current sample; press Ctrl-C again to stop at once');
    stopping.abort();
  });
  try {
    const summary = await runBench({
      plan: run.plan,
      directory,
      bundleSha256,
      ...settings,
      openRunner: () => {
        requireMemory(memory, where(['backbone']));
        if (memory.fit.kind === 'in parts') progress.note(describeMemory(memory));
        return services.openRunner(bundle, settings);
      },
      onProgress: showProgress(progress),
      signal: stopping.signal,
    });
    const tables = reportTables({ records: summary.planned, ...run.plan });
    await writeTables(run.out, tables);
    return { summary, tables };
  } finally {
    forget();
    progress.stop();
    await directory.close();
  }
}

function exitCodeOf({ interrupted, failures }: BenchSummary): number {
  if (interrupted) return exitCodes.interrupted;
  return failures.length > 0 ? exitCodes.user : exitCodes.ok;
}

async function bench(options: BenchOptions, shell: Shell, services: BenchServices): Promise<void> {
  const run = await resolveRun(options, shell);
  const { plan, shownOut: out } = run;
  if (options.dryRun) {
    const { config, where } = run.located;
    const size = await services.backboneSize(run.backbone, where(['backbone']));
    const memory = memoryOf({ config, plan }, size, services.availableBytes());
    const shown = { out, tokensPerImage: size.tokensPerImage, memory, output: shell.stdout };
    shell.stdout.write(describePlan(plan, { ...shown, json: options.json ?? false }));
    return;
  }
  const quiet = (options.quiet ?? false) || (options.json ?? false);
  const { summary, tables } = await execute(run, services, shell, quiet);
  for (const { task, sampleId, message } of summary.failures) {
    shell.stderr.write(`${shell.stderr.paint.red('failed:')} ${task}, sample ${sampleId}: ${message}\n`);
  }
  if (options.json) shell.stdout.write(runAsJson(summary, out));
  else if (!quiet) shell.stdout.write(describeRun(summary, { tables, out, output: shell.stdout }));
  shell.setExitCode(exitCodeOf(summary));
}

/** `lookm bench`: runs the grid of a run file and shows its tables. `load` brings the services when they are needed. */
export function benchCommand(load: (shell: Shell) => Promise<BenchServices>): (shell: Shell) => Command {
  return (shell) =>
    new Command('bench')
      .description('run methods × budgets on tasks and show accuracy, cache size and latency')
      .option('-c, --config <file>', `run file (default: ${defaultConfig} of the package)`)
      .option('--backbone <name|dir>', 'embedded or pulled backbone, bundle or checkpoint directory')
      .option('--dtype <type>', 'which of its bundles, or what a checkpoint is converted to, e.g. int4')
      .option('--dataset <name|dir>', 'embedded dataset or directory in the layout of MileBench')
      .option('--tasks <list>', 'names of tasks or columns, or all')
      .option('--methods <list>', 'e.g. full,h2o,look-m-tp-p,matched:look-m-tp-p')
      .option('--budgets <list>', 'e.g. 20%,0.1+0.1 (recent+important),512tok,64MiB')
      .option('--first-token <list>', 'prefill, cache or both')
      .option('--semantics <list>', 'release, paper or both')
      .option('--scoring <release|fixed>', 'which scores the tables show; both are recorded')
      .option('--decoding <alone|together>', 'together is faster, only alone times decode steps')
      .option('--attention <auto|portable|native>', 'native is faster, where it is available')
      .option('--device <cpu|webgpu|cuda>', 'what computes the network')
      .option('--threads <n>', 'threads of ONNX Runtime (default: all the machine has)')
      .option('--limit <n>', 'samples per task, or all')
      .option('--seed <n>', 'draw the samples of a limit at random')
      .addOption(
        new Option('--vision-cache [dir]', 'keep features of images on disk, in the cache or in dir').preset(
          'true',
        ),
      )
      .option('--memory <size>', 'memory the run may take, e.g. 8GiB (default: what is available)')
      .option('--out <dir>', 'run directory (default: results/<name of the run file>)')
      .option('--dry-run', 'print the plan and stop')
      .option('--json', 'print a summary for programs')
      .option('--quiet', 'print errors only')
      .option('--debug', 'print the stack of errors')
      .addHelpText('after', examples)
      .action(async (options: BenchOptions) => bench(options, shell, await load(shell)));
}
