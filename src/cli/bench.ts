import { Command, Option } from 'commander';
import { sampleLog } from '../bench/record.js';
import { type BenchProgress, type BenchSummary, runBench } from '../bench/run-bench.js';
import { RunDirectory } from '../bench/run-directory.js';
import { latencyProtocol } from '../bench/run-manifest.js';
import { reportTables } from '../report/report-tables.js';
import type { Table } from '../report/table.js';
import { writeTables } from '../report/write-tables.js';
import { benchLatency } from './bench-latency.js';
import type { BenchServices } from './bench-services.js';
import { describePlan } from './describe-plan.js';
import { describeRun, runAsJson } from './describe-run.js';
import { prepareRun } from './prepare-run.js';
import { exitCodes } from './program.js';
import { openProgress, type Progress } from './progress.js';
import { defaultConfig, type ResolvedRun, type RunRequest, resolveRun } from './resolve-run.js';
import { describeMemory, memoryOf, requireMemory } from './run-memory.js';
import type { Shell } from './shell.js';

const examples = `
Examples:
  $ lookm bench                                       the quickstart, into results/quickstart
  $ lookm bench --limit 5 --seed 1 --out results/try  five samples a task
  $ lookm bench --methods full,h2o --budgets 20%,0.1+0.3 --tasks T-4,PictureNumbers --out results/h2o
  $ lookm bench --methods full,full+int8,h2o+int8 --budgets 20% --out results/int8
  $ lookm bench --latency --limit 1 --out results/speed  decode latency and cache memory
  $ lookm bench -c my.yaml --dry-run                  what a run file asks for

The same command continues a run that was cut short and recomputes nothing that is done.
Methods, budgets, semantics, protocols, tasks and limit may change between commands on one run directory.
`;

interface BenchOptions extends RunRequest {
  readonly dryRun?: boolean | undefined;
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
}

function showProgress(progress: Progress): (event: BenchProgress) => void {
  return (event) => {
    if (event.kind === 'notice') progress.note(event.message);
    if (event.kind === 'opening') progress.update(event.done, event.samples, 'loading the backbone');
    if (event.kind === 'sample') progress.update(event.done, event.samples, event.task);
    if (event.kind === 'failure' && event.samples > 0) progress.update(event.done, event.samples, event.task);
  };
}

async function execute(
  run: ResolvedRun,
  services: BenchServices,
  shell: Shell,
  quiet: boolean,
): Promise<{ readonly summary: BenchSummary; readonly tables: readonly Table[] }> {
  const { where } = run.located;
  const converting = openProgress(shell, { unit: 'MiB', quiet });
  const prepared = await prepareRun(run, services, { shell, converting });
  const { bundle, bundleSha256, description, memory, settings } = prepared;
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
    const latency = latencyProtocol(config);
    const shown = { out, tokensPerImage: size.tokensPerImage, memory, latency, output: shell.stdout };
    shell.stdout.write(describePlan(plan, { ...shown, json: options.json ?? false }));
    return;
  }
  const quiet = (options.quiet ?? false) || (options.json ?? false);
  if (run.located.config.latency !== null)
    return benchLatency(run, { services, shell, quiet, json: options.json ?? false });
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
      .option('--latency', 'measure decode latency and memory instead of accuracy, see docs/latency.md')
      .option('--samples <n>', 'of --latency: samples of all tasks together, drawn with --seed, or all')
      .option('--steps <n>', 'of --latency: timed decode steps of a repeat (default: 32)')
      .option('--repeats <n>', 'of --latency: how often cells take turns (default: 7)')
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
